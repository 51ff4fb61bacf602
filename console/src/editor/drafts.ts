/** What was edited and not saved, kept in this browser until it is; and the YAML behind what was saved. */

/** What the server has, and the text that it was made from: the same, unless that is YAML. */
export interface Base {
  definition: string;
  text: string;
}

export interface Draft {
  text: string;
  /** What it was made from. */
  base: Base;
}

const draftKey = (machineArn: string) => `stepwell.draft.${machineArn}`;
const sourceKey = (machineArn: string) => `stepwell.source.${machineArn}`;

export function readDraft(machineArn: string): Draft | undefined {
  const { text, base, baseText } = read(draftKey(machineArn));
  if (typeof text !== "string" || typeof base !== "string") return undefined;
  return { text, base: { definition: base, text: typeof baseText === "string" ? baseText : base } };
}

/** Answers false if the browser has no room for it. */
export function keepDraft(machineArn: string, { text, base }: Draft): boolean {
  return write(draftKey(machineArn), { text, base: base.definition, baseText: base.text });
}

export function dropDraft(machineArn: string) {
  localStorage.removeItem(draftKey(machineArn));
}

/** The text that a saved definition was made from, with its comments; itself if that is not known here. */
export function readSource(machineArn: string, definition: string): Base {
  const { text, of } = read(sourceKey(machineArn));
  return { definition, text: typeof text === "string" && of === definition ? text : definition };
}

/** Answers false if the browser has no room for it. */
export function keepSource(machineArn: string, { definition, text }: Base): boolean {
  if (text !== definition) return write(sourceKey(machineArn), { text, of: definition });
  localStorage.removeItem(sourceKey(machineArn));
  return true;
}

function read(key: string): Record<string, unknown> {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function write(key: string, value: object): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
