/** The text that is edited and its one history, for graph, form and code alike. */
import { type Definition, readDefinition, type StateId } from "../model/definition";
import type { Edited } from "../model/edits";

interface Step {
  text: string;
  selected: StateId | undefined;
  /** What was done from here, e.g. `added Wait`. */
  label: string;
}

export interface Document {
  text: string;
  /** Of the text, or of the last text that could be read. */
  definition: Definition;
  /** The text can be read. */
  isGood: boolean;
  selected: StateId | undefined;
  past: readonly Step[];
  future: readonly Step[];
  /** Changes that follow each other with the same one make one step. */
  merging: { key: string; at: number } | undefined;
}

/** More steps are not kept: the oldest goes. */
const STEPS_MAX = 300;
/** Typing that pauses for longer begins a new step. */
const MERGE_MS = 1_500;

const EMPTY = '{"StartAt": "", "States": {}}';

export function openDocument(text: string): Document {
  const read = readDefinition(text);
  const definition = read ?? (readDefinition(EMPTY) as Definition);
  return {
    text,
    definition,
    isGood: read !== undefined,
    selected: undefined,
    past: [],
    future: [],
    merging: undefined,
  };
}

/** Makes a change. With `mergeKey`, it joins a change just before that had the same. */
export function change(document: Document, label: string, edited: Edited, now: number, mergeKey?: string): Document {
  if (edited.text === document.text) return document;
  const { merging } = document;
  const joins = mergeKey !== undefined && merging?.key === mergeKey && now - merging.at < MERGE_MS;
  const step = { text: document.text, selected: document.selected, label };
  return {
    ...showing(document, edited.text, "selected" in edited ? edited.selected : document.selected),
    past: joins ? document.past : [...document.past, step].slice(-STEPS_MAX),
    future: [],
    merging: mergeKey === undefined ? undefined : { key: mergeKey, at: now },
  };
}

export function undo(document: Document): Document {
  const step = document.past.at(-1);
  if (!step) return document;
  const undone = { text: document.text, selected: document.selected, label: step.label };
  return {
    ...showing(document, step.text, step.selected),
    past: document.past.slice(0, -1),
    future: [...document.future, undone],
    merging: undefined,
  };
}

export function redo(document: Document): Document {
  const step = document.future.at(-1);
  if (!step) return document;
  const done = { text: document.text, selected: document.selected, label: step.label };
  return {
    ...showing(document, step.text, step.selected),
    past: [...document.past, done],
    future: document.future.slice(0, -1),
    merging: undefined,
  };
}

export function select(document: Document, selected: StateId | undefined): Document {
  return selected === document.selected ? document : { ...document, selected, merging: undefined };
}

/** Reads the text again: its notation can be read now. */
export function reread(document: Document): Document {
  return showing(document, document.text, document.selected);
}

function showing(document: Document, text: string, selected: StateId | undefined): Document {
  const read = readDefinition(text);
  const definition = read ?? document.definition;
  const isThere = selected !== undefined && definition.states.has(selected);
  return { ...document, text, definition, isGood: read !== undefined, selected: isThere ? selected : undefined };
}
