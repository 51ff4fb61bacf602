/**
 * What the editor does to a definition, each a function from text to text that touches no more than it must.
 *
 * One reducer, {@link insertOnEdge}, serves dropping, adding by keyboard and pasting.
 */
import {
  type Definition,
  type Edge,
  type Fields,
  pointerOf,
  type QueryLanguage,
  readDefinition,
  type State,
  type StateId,
  type StateType,
  scopeOf,
  statesWithin,
} from "./definition";
import {
  insertItem,
  type Json,
  nodeAt,
  type Path,
  removeAt,
  removeDeep,
  replaceMember,
  setDeep,
  setValue,
  Written,
  writtenAt,
} from "./text";

export interface Edited {
  text: string;
  /** What should be selected afterwards. */
  selected?: StateId;
}

/** What a new state begins as, without its way on. */
export function freshState(type: StateType, language: QueryLanguage): Fields {
  const jsonata = language === "JSONata";
  switch (type) {
    case "Task": {
      const call = { FunctionName: "", Payload: jsonata ? "{% $states.input %}" : undefined };
      const parameters = jsonata ? call : { FunctionName: "", "Payload.$": "$" };
      return {
        Type: type,
        Resource: "arn:aws:states:::lambda:invoke",
        [jsonata ? "Arguments" : "Parameters"]: parameters as Json,
      };
    }
    case "Parallel":
      return { Type: type, Branches: [emptyScope(), emptyScope()] };
    case "Map":
      return { Type: type, ItemProcessor: { ProcessorConfig: { Mode: "INLINE" }, ...emptyScope() } };
    case "Wait":
      return { Type: type, Seconds: 5 };
    case "Choice":
      return { Type: type, Choices: [] };
    default:
      return { Type: type };
  }
}

function emptyScope(): { StartAt: string; States: Record<string, Json> } {
  return { StartAt: "", States: {} };
}

/** A name that no state of the definition has: `Wait`, `Wait (1)`, `Wait (2)`… */
export function freeName(definition: Definition, wish: string, also: ReadonlySet<string> = new Set()): string {
  const taken = new Set([...definition.states.values()].map((state) => state.name));
  for (let n = 0; ; n++) {
    const name = n === 0 ? wish : `${wish} (${n})`;
    if (!taken.has(name) && !also.has(name)) return name;
  }
}

/** Whether the state that an edge leads from can lead somewhere else by it. */
export function takesInsertion(definition: Definition, edge: Edge): boolean {
  const from = edge.from === undefined ? undefined : definition.states.get(edge.from);
  return from?.type !== "Succeed";
}

/** A state as it is written, to be put somewhere. */
export interface Copied {
  name: string;
  type: StateType;
  text: string;
}

/** What is put on an edge in place of a fresh state of its type. */
export type Given = Copied | { name: string; fields: Fields };

/**
 * Puts a new state on an edge: what led along it leads to the new state, and that leads on to where the edge led.
 *
 * Succeed and Fail lead nowhere. A Choice gets one rule, and a default, to where the edge led; on an edge to the end it
 * gets a state to end in, since a rule cannot end. What was copied keeps its spelling; where names of states within it
 * are taken, they get others.
 */
export function insertOnEdge(definition: Definition, edge: Edge, type: StateType, given?: Given): Edited {
  const name = freeName(definition, given?.name ?? type);
  const target = edge.to && definition.states.get(edge.to)?.name;
  const isChoice = type === "Choice";
  const next = target ?? (isChoice ? freeName(definition, "Done", new Set([name])) : undefined);
  const state =
    given && "text" in given
      ? new Written(ledTo(withFreeNames(definition, given, name), type, next))
      : freshOn(definition, type, given?.fields, next);
  const scope = scopeOf(definition, edge.scope);
  const from = edge.from && definition.states.get(edge.from)?.name;
  let text = setValue(definition.text, [...scope.path, "States", name], state, from);
  if (isChoice && next && !target) {
    text = setValue(text, [...scope.path, "States", next], { Type: "Succeed" }, name);
  }
  return { text: retarget(text, edge, name), selected: pointerOf([...scope.path, "States", name]) };
}

function freshOn(definition: Definition, type: StateType, given: Fields | undefined, next: string | undefined): Json {
  const fields = given ?? freshState(type, definition.language);
  if (type === "Succeed" || type === "Fail") return fields as Json;
  if (type !== "Choice") return { ...fields, ...(next ? { Next: next } : { End: true }) } as Json;
  const condition: { readonly [key: string]: Json } =
    definition.language === "JSONata" ? { Condition: "{% true %}" } : { Variable: "$", IsPresent: true };
  const rule = { ...condition, Next: next ?? "" } as Json;
  return { ...fields, Choices: [rule], Default: next ?? "" } as Json;
}

/** The text of a state that leads on to `next`, or to the end, whatever it led to before. */
export function ledTo(text: string, type: StateType, next: string | undefined): string {
  if (type === "Succeed" || type === "Fail") return text;
  if (type === "Choice") return next === undefined ? text : setValue(text, ["Default"], next);
  const [from, to] = next === undefined ? (["Next", "End"] as const) : (["End", "Next"] as const);
  const value = next ?? true;
  if (nodeAt(text, [from])) return replaceMember(nodeAt(text, [to]) ? removeAt(text, [to]) : text, [from], to, value);
  return setValue(text, [to], value);
}

/** The text of a copied state in which no state has a name that the definition, or the copy itself, has already. */
export function withFreeNames(definition: Definition, copied: Copied, name: string): string {
  let alone = readDefinition(`{"States":{${JSON.stringify(name)}:${copied.text}}}`);
  const taken = new Set([...definition.states.values()].map((state) => state.name));
  const inner = alone ? [...alone.states.values()].filter((state) => state.path.length > 2) : [];
  for (const { name: old } of inner) {
    const state = alone && [...alone.states.values()].find((state) => state.path.length > 2 && state.name === old);
    if (!alone || !state || !taken.has(old)) continue;
    const names = new Set([...alone.states.values()].map((state) => state.name));
    alone = readDefinition(renameState(alone, state.id, freeName(definition, old, names)).text);
  }
  return (alone && writtenAt(alone.text, ["States", name])) ?? copied.text;
}

/** A state as text, to be put elsewhere. */
export function copyOf(definition: Definition, state: State): Copied {
  const text = writtenAt(definition.text, state.path) ?? "{}";
  return { name: state.name, type: state.type as StateType, text };
}

/** Makes an edge lead to the sibling of that name. */
export function retarget(text: string, edge: Edge, name: string): string {
  if (edge.kind === "end") return replaceMember(text, edge.path, "Next", name);
  return setValue(text, edge.path, name);
}

/** Why an edge cannot lead there; `undefined` if it can. Without a state it is to lead to the end. */
export function whyNotTo(definition: Definition, edge: Edge, target: StateId | undefined): string | undefined {
  if (target === undefined)
    return edge.kind === "next" || edge.kind === "end" ? undefined : "Only a state that leads on can end.";
  if (definition.states.get(target)?.scope !== edge.scope) return "It is in another branch.";
  return undefined;
}

/** Makes an edge lead to another sibling or, where it may, to the end. */
export function redirect(definition: Definition, edge: Edge, target: StateId | undefined): Edited {
  if (whyNotTo(definition, edge, target) !== undefined) return { text: definition.text };
  const name = target && definition.states.get(target)?.name;
  if (name !== undefined && target !== edge.to) return { text: retarget(definition.text, edge, name) };
  if (target === undefined && edge.kind === "next")
    return { text: replaceMember(definition.text, edge.path, "End", true) };
  return { text: definition.text };
}

/**
 * Deletes a state and joins its ends: what led to it leads to where it led on.
 *
 * Where it led nowhere, what led to it ends, and rules and catchers that did are taken away.
 */
export function deleteState(definition: Definition, id: StateId): Edited {
  const state = definition.states.get(id);
  if (!state) return { text: definition.text };
  const onward = definition.edges.find(
    (edge) => edge.from === id && ["next", "default", "choice"].includes(edge.kind) && edge.to !== id,
  );
  const next = onward?.to && definition.states.get(onward.to)?.name;
  const incoming = definition.edges.filter((edge) => edge.to === id && edge.from !== id);
  let text = definition.text;
  // From the last to the first, so that the places of rules that are taken away do not move.
  for (const edge of incoming.toReversed()) {
    if (next) text = retarget(text, edge, next);
    else if (edge.kind === "next") text = replaceMember(text, edge.path, "End", true);
    else if (edge.kind === "choice" || edge.kind === "catch") text = removeAt(text, edge.path.slice(0, -1));
    else if (edge.kind === "default") text = removeAt(text, edge.path);
    else text = setValue(text, edge.path, otherName(definition, state) ?? "");
  }
  text = removeAt(text, state.path);
  return { text, selected: state.scope === "" ? undefined : scopeOf(definition, state.scope).owner };
}

function otherName(definition: Definition, state: State): string | undefined {
  const other = scopeOf(definition, state.scope).states.find((id) => id !== state.id);
  return other && definition.states.get(other)?.name;
}

/** Renames a state and every reference to it. Does nothing if the name is taken or empty. */
export function renameState(definition: Definition, id: StateId, name: string): Edited {
  const state = definition.states.get(id);
  if (!state || name === "" || freeName(definition, name) !== name) return { text: definition.text };
  let text = definition.text;
  for (const edge of definition.edges) {
    if (edge.to === id) text = setValue(text, edge.path, name);
  }
  text = replaceMember(text, state.path, name);
  return { text, selected: pointerOf([...state.path.slice(0, -1), name]) };
}

/** Moves a state onto an edge of any scope. Does nothing on an edge of its own or within itself. */
export function moveState(definition: Definition, id: StateId, edge: Edge): Edited {
  const state = definition.states.get(id);
  const within = edge.scope === id || edge.scope.startsWith(`${id}/`);
  if (!state || within || edge.from === id || edge.to === id) return { text: definition.text };
  const removed = readDefinition(deleteState(definition, id).text);
  const place = removed && sameEdge(removed, definition, edge);
  if (!removed || !place) return { text: definition.text };
  return insertOnEdge(removed, place, state.type as StateType, copyOf(definition, state));
}

/** The edge of `now` that leads from where `edge` of `before` did, in the same way. */
function sameEdge(now: Definition, before: Definition, edge: Edge): Edge | undefined {
  const scope = before.scopes.get(edge.scope);
  if (!scope || !now.scopes.has(edge.scope)) return undefined;
  return (
    now.edges.find((other) => other.id === edge.id) ??
    now.edges.find((other) => other.scope === edge.scope && other.from === edge.from && other.kind === edge.kind) ??
    now.edges.find((other) => other.scope === edge.scope && other.from === edge.from && other.kind === "end")
  );
}

/** A copy of a state behind it, or of any state that was copied as text, on an edge. */
export function duplicateState(definition: Definition, id: StateId): Edited {
  const state = definition.states.get(id);
  const edge = definition.edges.find((edge) => edge.from === id && (edge.kind === "next" || edge.kind === "end"));
  if (!state || !edge) return { text: definition.text };
  return insertOnEdge(definition, edge, state.type as StateType, copyOf(definition, state));
}

/** Sets a field of a state by its path within it; `undefined` takes it away. */
export function setField(definition: Definition, id: StateId, path: Path, value: Json | Written | undefined): Edited {
  const state = definition.states.get(id);
  if (!state) return { text: definition.text };
  const whole = [...state.path, ...path];
  const { text } = definition;
  return {
    text: value === undefined ? removeDeep(text, whole, state.path.length) : setDeep(text, whole, value),
    selected: id,
  };
}

/** Adds an item to a list of a state, e.g. a catcher, and the list if it is missing. */
export function addToList(definition: Definition, id: StateId, field: string, value: Json): Edited {
  const state = definition.states.get(id);
  if (!state) return { text: definition.text };
  const path = [...state.path, field];
  const list = nodeAt(definition.text, path);
  const text =
    list?.type === "array"
      ? insertItem(definition.text, path, list.children?.length ?? 0, value)
      : setValue(definition.text, path, [value]);
  return { text, selected: id };
}

/** Another branch of a Parallel state. */
export function addBranch(definition: Definition, id: StateId): Edited {
  return addToList(definition, id, "Branches", emptyScope() as unknown as Json);
}

/** How many states a state holds, itself included. */
export function weight(definition: Definition, id: StateId): number {
  return 1 + statesWithin(definition, id).length;
}
