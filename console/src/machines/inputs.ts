/** The inputs that were last given to a state machine, kept in this browser. */
const KEPT_MAX = 10;
/** Longer ones are not kept: the browser's storage is small. */
const CHARS_MAX = 32 * 1024;

const keyOf = (machineArn: string) => `stepwell.inputs.${machineArn}`;

export function lastInputs(machineArn: string): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(machineArn)) ?? "[]");
    return Array.isArray(kept) ? kept.filter((input) => typeof input === "string") : [];
  } catch {
    return [];
  }
}

export function rememberInput(machineArn: string, input: string) {
  if (input.length > CHARS_MAX) return;
  const inputs = [input, ...lastInputs(machineArn).filter((other) => other !== input)].slice(0, KEPT_MAX);
  try {
    localStorage.setItem(keyOf(machineArn), JSON.stringify(inputs));
  } catch {
    // The storage is full: what is remembered is a convenience.
  }
}
