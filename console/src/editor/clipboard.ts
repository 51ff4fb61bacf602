/** States as text that can be pasted anywhere: an object of states by name, the one that is entered first. */
import { readDefinition, STATE_TYPES } from "../model/definition";
import { type Copied, copyOf } from "../model/edits";
import { notationOf, toJson } from "../model/text";

/** Source: the largest definition. */
const PASTED_CHARS_MAX = 1024 * 1024;

export function writeCopied(copied: readonly Copied[]): string {
  const members = copied.map(({ name, text }) => {
    // A state of a text in YAML is copied as JSON, which can be pasted into both.
    const json = toJson(text, notationOf(text)) ?? "{}";
    return `  ${JSON.stringify(name)}: ${json.trim().replaceAll("\n", "\n  ")}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

/** The states in a text: as they were copied, or of a whole definition. */
export function readCopied(text: string): Copied[] {
  if (text.length > PASTED_CHARS_MAX) return [];
  const whole = readDefinition(text);
  const definition = whole && whole.states.size > 0 ? whole : readDefinition(`{"States":${text}}`);
  const top = definition?.scopes.get("");
  if (!definition || !top) return [];
  const states = top.states.flatMap((id) => definition.states.get(id) ?? []);
  const isStart = (name: string) => name === definition.fields.StartAt;
  const ordered = [...states.filter(({ name }) => isStart(name)), ...states.filter(({ name }) => !isStart(name))];
  const areStates = ordered.every((state) => STATE_TYPES.some((type) => type === state.type));
  return areStates ? ordered.map((state) => copyOf(definition, state)) : [];
}
