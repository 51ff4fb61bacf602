/** What changed from one definition to another, state by state. */
import type { Definition, Fields, State } from "./definition";

export interface Difference {
  added: State[];
  /** Of the first definition. */
  removed: State[];
  /** As they are in the second, with the fields that differ. */
  changed: { state: State; fields: string[] }[];
}

/** Fields that hold states: those are compared by themselves. */
const HOLD_STATES = new Set(["Branches", "ItemProcessor", "Iterator"]);

export function differenceOf(before: Definition, after: Definition): Difference {
  const difference: Difference = { added: [], removed: [], changed: [] };
  for (const state of after.states.values()) {
    const old = before.states.get(state.id);
    if (!old) {
      difference.added.push(state);
      continue;
    }
    const fields = changedFields(old.fields, state.fields);
    if (old.scopes.length !== state.scopes.length) fields.push("Branches");
    if (fields.length > 0) difference.changed.push({ state, fields });
  }
  for (const state of before.states.values()) if (!after.states.has(state.id)) difference.removed.push(state);
  return difference;
}

function changedFields(before: Fields, after: Fields): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !HOLD_STATES.has(name) && !isSame(before[name], after[name]));
}

/** Equal as JSON: the order of members means nothing. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [ones, others] = [Object.entries(a), Object.entries(b)];
  return (
    ones.length === others.length && ones.every(([key, value]) => isSame(value, (b as Record<string, unknown>)[key]))
  );
}
