/** A search as its address says it, as the filter shows it, and as the server takes it. */
import type { PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import type { SearchWords } from "../app/router";
import { statusName } from "../app/StatusText";
import { EXECUTION_STATUSES, type ExecutionStatus } from "../aws/operations";

type Token = PropertyFilterProps.Token;
type Single = "name" | "machine" | "error" | "input" | "output";

/** Properties that have one value; of several, the last counts. */
const SINGLE: readonly Single[] = ["name", "machine", "error", "input", "output"];

const PERIOD_SECONDS = { "15m": 900, "1h": 3_600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000 };

/** The statuses of an address, in the order of the API. */
export function statusesOf(words: SearchWords): ExecutionStatus[] {
  const named = new Set((words.status ?? "").split(","));
  return EXECUTION_STATUSES.filter((status) => named.has(status));
}

export function tokensOf(words: SearchWords): Token[] {
  const tokens: Token[] = statusesOf(words).map((status) => ({
    propertyKey: "status",
    operator: "=",
    value: status,
  }));
  for (const key of SINGLE) {
    const value = words[key];
    if (value !== undefined) tokens.push({ propertyKey: key, operator: key === "machine" ? "=" : ":", value });
  }
  return tokens;
}

/** What was typed without a property is looked for in names. */
export function wordsOf(tokens: readonly Token[]): Pick<SearchWords, Single | "status"> {
  const words: Pick<SearchWords, Single | "status"> = {};
  const statuses = tokens.filter((token) => token.propertyKey === "status").map((token) => String(token.value));
  const known = EXECUTION_STATUSES.filter((status) =>
    statuses.some((text) => text === status || text.toLowerCase() === statusName(status).toLowerCase()),
  );
  if (known.length > 0) words.status = known.join(",");
  for (const { propertyKey = "name", value } of tokens) {
    const key = SINGLE.find((key) => key === propertyKey);
    if (key && value) words[key] = String(value);
  }
  return words;
}

/** `now` is in seconds since 1970. */
export function serverQuery(words: SearchWords, now: number): string {
  const query = new URLSearchParams();
  if (words.type === "EXPRESS") query.set("type", words.type);
  for (const status of statusesOf(words)) query.append("status", status);
  for (const key of SINGLE) if (words[key]) query.set(key, words[key]);
  const from = words.period ? now - PERIOD_SECONDS[words.period] : words.from;
  // Rounded, so that the same question stays the same for a while.
  if (from !== undefined) query.set("from", String(words.period ? Math.floor(from / 60) * 60 : Math.floor(from)));
  if (!words.period && words.until !== undefined) query.set("until", String(Math.ceil(words.until)));
  return query.toString();
}

/** Whether the server has to read each execution's own rows. */
export function isDeep(words: SearchWords): boolean {
  return Boolean(words.input || words.output || words.error);
}
