/** States as text that can be pasted anywhere: an object with the state's name as its only member. */
import { readDefinition, STATE_TYPES } from "../model/definition";
import { type Copied, copyOf } from "../model/edits";
import { treeOf } from "../model/text";

/** Source: the largest definition. */
const PASTED_CHARS_MAX = 1024 * 1024;

export function writeCopied({ name, text }: Copied): string {
  return `{\n  ${JSON.stringify(name)}: ${text.replaceAll("\n", "\n  ")}\n}\n`;
}

/** The one state in a text. */
export function readCopied(text: string): Copied | undefined {
  if (text.length > PASTED_CHARS_MAX || treeOf(text)?.children?.length !== 1) return undefined;
  const definition = readDefinition(`{"States":${text}}`);
  const state = definition && [...definition.states.values()][0];
  return definition && state && STATE_TYPES.some((type) => type === state.type) ? copyOf(definition, state) : undefined;
}
