/** Times and numbers for people. */
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Seconds since 1970, as the API gives them. */
export function dateText(seconds: number | undefined): string {
  return seconds === undefined ? "–" : dates.format(new Date(seconds * 1000));
}

/** `00:01:42.318` */
export function durationText(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "–";
  const rounded = Math.max(0, Math.round(ms));
  const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");
  const hours = Math.floor(rounded / 3_600_000);
  const minutes = Math.floor(rounded / 60_000) % 60;
  const seconds = Math.floor(rounded / 1_000) % 60;
  return `${pad(hours)}:${pad(minutes)}:${pad(seconds)}.${pad(rounded % 1000, 3)}`;
}

const UNITS: [string, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** `2 hours`, of a number of seconds; the largest unit alone. */
export function spanText(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  const count = Math.max(0, Math.floor(seconds / size));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** `4 KiB`, `1 MiB`; bytes below that. */
export function bytesText(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${numbers.format(bytes / 1024 / 1024)} MiB`;
  return bytes >= 1024 ? `${numbers.format(bytes / 1024)} KiB` : `${bytes} bytes`;
}

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export function numberText(value: number): string {
  return numbers.format(value);
}

/** JSON text with indents; as it is if it is no JSON or would not come back the same (numbers of many digits). */
export function prettyJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const again = JSON.stringify(value);
    if (again.replaceAll(/\s/g, "") !== text.replaceAll(/\s/g, "")) return text;
    return JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}

/** The last part of an ARN. */
export function nameOf(arn: string): string {
  return arn.split(":").at(-1) ?? arn;
}
