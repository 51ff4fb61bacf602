/** States as text that can be pasted anywhere: an object with the state's name as its only member. */
import { type Fields, STATE_TYPES, type State, type StateType } from "../model/definition";
import { treeOf, writtenAt } from "../model/jsonText";

/** Source: the largest definition. */
const PASTED_CHARS_MAX = 1024 * 1024;

export function writeCopied(text: string, state: State): string {
  return `{\n  ${JSON.stringify(state.name)}: ${(writtenAt(text, state.path) ?? "{}").replaceAll("\n", "\n  ")}\n}\n`;
}

/** The one state in a text; without where it led, which is not where it will. */
export function readCopied(text: string): { name: string; type: StateType; fields: Fields } | undefined {
  if (text.length > PASTED_CHARS_MAX || treeOf(text)?.type !== "object") return undefined;
  const [member, ...others] = Object.entries(JSON.parse(text) as Record<string, Fields>);
  if (!member || others.length > 0) return undefined;
  const [name, { Next: _next, End: _end, ...fields }] = member;
  const type = STATE_TYPES.find((type) => type === fields.Type);
  return type && { name, type, fields };
}
