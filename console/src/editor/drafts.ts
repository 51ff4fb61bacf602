/** What was edited and not saved, kept in this browser until it is. */
export interface Draft {
  text: string;
  /** The definition that it was made from. */
  base: string;
}

const keyOf = (machineArn: string) => `stepwell.draft.${machineArn}`;

export function readDraft(machineArn: string): Draft | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(machineArn)) ?? "null") as Partial<Draft> | null;
    return typeof kept?.text === "string" && typeof kept.base === "string"
      ? { text: kept.text, base: kept.base }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Answers false if the browser has no room for it. */
export function keepDraft(machineArn: string, draft: Draft): boolean {
  try {
    localStorage.setItem(keyOf(machineArn), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

export function dropDraft(machineArn: string) {
  localStorage.removeItem(keyOf(machineArn));
}
