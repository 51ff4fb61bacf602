/**
 * Several siblings that are dealt with as one: entered at one place, and left to one place.
 *
 * Such a region can be put into a state of its own, copied as text, moved to another edge, and taken out again. What
 * leads on within it stays; what leads out of it is made to end, or to lead to where the region comes to stand.
 */
import {
  type Definition,
  type Edge,
  pointerOf,
  readDefinition,
  type Scope,
  type State,
  type StateId,
  scopeOf,
} from "./definition";
import { type Copied, type Edited, freeName, insertOnEdge, ledTo, renameState, retarget, withFreeNames } from "./edits";
import { type Json, jsonAt, removeAt, replaceMember, setValue, Written, writtenAt } from "./text";

export interface Region {
  scope: Scope;
  /** In the order of the text. */
  states: State[];
  /** That what leads into it leads to. */
  entry: State;
  /** Where it leads to: a sibling's name, or `undefined` for the end of the scope. */
  exit: string | undefined;
}

/** The region of some states, or why they are none. */
export function regionOf(definition: Definition, ids: readonly StateId[]): Region | { problem: string } {
  const given = new Set(ids);
  // What lies within another one that is chosen goes with it.
  const chosen = ids.filter((id) => !ids.some((other) => other !== id && id.startsWith(`${other}/`)));
  const first = definition.states.get(chosen[0] ?? "");
  if (!first) return { problem: "Nothing is selected." };
  if (chosen.some((id) => definition.states.get(id)?.scope !== first.scope))
    return { problem: "The selected states are not of one branch." };
  const scope = scopeOf(definition, first.scope);
  const states = scope.states.filter((id) => given.has(id)).flatMap((id) => definition.states.get(id) ?? []);
  const entries = new Set<StateId>();
  const exits = new Set<StateId | undefined>();
  for (const edge of definition.edges) {
    if (edge.scope !== scope.id) continue;
    const fromInside = edge.from !== undefined && given.has(edge.from);
    const toInside = edge.to !== undefined && given.has(edge.to);
    if (!fromInside && toInside && edge.to !== undefined) entries.add(edge.to);
    if (fromInside && !toInside) exits.add(edge.to);
  }
  if (entries.size > 1) return { problem: "The selected states are entered at several places." };
  const targets = [...exits].filter((exit) => exit !== undefined);
  if (targets.length > 1 || (targets.length === 1 && exits.has(undefined)))
    return { problem: "The selected states lead to several places." };
  const entry = definition.states.get([...entries][0] ?? "") ?? states[0] ?? first;
  const exit = targets[0] === undefined ? undefined : definition.states.get(targets[0])?.name;
  return { scope, states, entry, exit };
}

export type Wrapping = "Parallel" | "Map";

/** Puts a region into a Parallel or Map state that stands where the region stood. */
export function wrap(definition: Definition, region: Region, type: Wrapping): Edited {
  const { scope, entry, exit } = region;
  const name = freeName(definition, type);
  const path = [...scope.path, "States", name];
  const way: Json = exit === undefined ? { End: true } : { Next: exit };
  const inner = { StartAt: "", States: {} };
  const fields: Json =
    type === "Parallel"
      ? { Type: type, Branches: [inner] }
      : { Type: type, ItemProcessor: { ProcessorConfig: { Mode: "INLINE" }, ...inner } };
  const inside = [...path, ...(type === "Parallel" ? ["Branches", 0] : ["ItemProcessor"])];
  const last = region.states.at(-1)?.name;
  let text = setValue(definition.text, path, { ...(fields as object), ...(way as object) } as Json, last);
  text = entering(definition, region, text, name);
  text = moveStates(definition, region, text, inside, undefined);
  text = setValue(text, [...inside, "StartAt"], entry.name);
  return { text, selected: pointerOf(path) };
}

/** A region as a definition of its own: what stands around it is not seen there. */
export function extracted(definition: Definition, region: Region): string {
  const { text, selected } = wrap(definition, region, "Parallel");
  const path = readDefinition(text)?.states.get(selected ?? "")?.path ?? [];
  const branch = jsonAt(text, [...path, "Branches", 0]) ?? "{}";
  const indent = /\n([ \t]*)\}$/.exec(branch)?.[1] ?? "";
  const own = branch.replaceAll(`\n${indent}`, "\n");
  return definition.language === "JSONata" ? setValue(own, ["QueryLanguage"], "JSONata") : own;
}

/** Puts a task in the place of a region that runs it as a state machine of its own, and gives what that gives. */
export function runInstead(definition: Definition, region: Region, stateMachineArn: string): Edited {
  const { text, selected } = wrap(definition, region, "Parallel");
  const path = readDefinition(text)?.states.get(selected ?? "")?.path;
  if (!path) return { text: definition.text };
  const way: Json = region.exit === undefined ? { End: true } : { Next: region.exit };
  const called: Json =
    definition.language === "JSONata"
      ? {
          Arguments: { StateMachineArn: stateMachineArn, Input: "{% $states.input %}" },
          Output: "{% $states.result.Output %}",
        }
      : { Parameters: { StateMachineArn: stateMachineArn, "Input.$": "$" }, OutputPath: "$.Output" };
  const resource = "arn:aws:states:::states:startExecution.sync:2";
  const task = { Type: "Task", Resource: resource, ...called, ...way } as Json;
  const put = readDefinition(setValue(text, path, task));
  return put ? renameState(put, pointerOf(path), freeName(put, stateMachineArn.split(":").at(-1) ?? "")) : { text };
}

/** Leads errors of the state to a new one beside it. */
export function wrapWithCatch(definition: Definition, id: StateId): Edited {
  const state = definition.states.get(id);
  if (!state || !["Task", "Parallel", "Map"].includes(state.type)) return { text: definition.text };
  const name = freeName(definition, `${state.name} failed`);
  const catcher = { ErrorEquals: ["States.ALL"], Next: name };
  const list = state.fields.Catch;
  const path = [...state.path, "Catch"];
  const caught = Array.isArray(list)
    ? setValue(definition.text, [...path, list.length], catcher)
    : setValue(definition.text, path, [catcher]);
  const fail = { Type: "Fail", Error: "Failed", Cause: `${state.name} failed` };
  const text = setValue(caught, [...scopeOf(definition, state.scope).path, "States", name], fail, state.name);
  return { text, selected: id };
}

/** Whether {@link unwrap} can take the states out of a state. */
export function canUnwrap(definition: Definition, state: State): boolean {
  return state.scopes.length > 0 && state.scopes.every((id) => (definition.scopes.get(id)?.states.length ?? 0) > 0);
}

/** Takes the states within a Parallel or Map out into its scope, one branch after another, and the state itself away. */
export function unwrap(definition: Definition, id: StateId): Edited {
  const state = definition.states.get(id);
  if (!state || !canUnwrap(definition, state)) return { text: definition.text };
  const outer = scopeOf(definition, state.scope);
  const onward = typeof state.fields.Next === "string" ? state.fields.Next : undefined;
  const inner = state.scopes.map((id) => wholeScope(definition, scopeOf(definition, id)));
  let text = definition.text;
  let selected: StateId | undefined;
  // From the last branch to the first: each leads on to the beginning of the next.
  for (const [index, region] of [...inner.entries()].toReversed()) {
    const next = inner[index + 1]?.entry.name ?? onward;
    text = moveStates(definition, region, text, outer.path, next, state.name);
    selected = pointerOf([...outer.path, "States", region.entry.name]);
  }
  const begin = inner[0]?.entry.name ?? "";
  for (const edge of definition.edges) {
    if (edge.to === id && edge.from !== id) text = retarget(text, edge, begin);
  }
  return { text: removeAt(text, state.path), ...(selected === undefined ? {} : { selected }) };
}

function wholeScope(definition: Definition, scope: Scope): Region {
  const states = scope.states.flatMap((id) => definition.states.get(id) ?? []);
  const start = definition.edges.find((edge) => edge.scope === scope.id && edge.kind === "start")?.to;
  const entry = definition.states.get(start ?? "") ?? states[0];
  if (!entry) throw new Error(`nothing is in ${scope.id}`);
  return { scope, states, entry, exit: undefined };
}

/** Makes what leads into the region from outside lead to the sibling of that name. */
function entering(definition: Definition, region: Region, text: string, name: string): string {
  const inside = new Set(region.states.map((state) => state.id));
  return definition.edges
    .filter((edge) => edge.to === region.entry.id && !(edge.from !== undefined && inside.has(edge.from)))
    .reduce((text, edge) => retarget(text, edge, name), text);
}

/** Moves the states of a region into another scope, where what led out of it leads to `next`, or to the end. */
function moveStates(
  definition: Definition,
  region: Region,
  given: string,
  to: Scope["path"],
  next: string | undefined,
  after?: string,
): string {
  // A rule or a catcher cannot end: where the scope ends, they lead to a state that does.
  const needsEnd = next === undefined && leavesByRule(definition, region);
  const ending = needsEnd ? freeName(definition, "Done") : undefined;
  let text = region.states.reduce((text, state) => removeAt(text, state.path), given);
  let last = after;
  for (const state of region.states) {
    const written = writtenAt(definition.text, state.path) ?? "{}";
    const moved = new Written(ledOut(state, written, region, next, ending));
    text = setValue(text, [...to, "States", state.name], moved, last);
    last = state.name;
  }
  return ending ? setValue(text, [...to, "States", ending], { Type: "Succeed" }, last) : text;
}

function leavesByRule(definition: Definition, { states, scope }: Region): boolean {
  const inside = new Set(states.map((state) => state.id));
  return definition.edges.some(
    (edge) =>
      edge.scope === scope.id &&
      ["choice", "default", "catch"].includes(edge.kind) &&
      edge.from !== undefined &&
      inside.has(edge.from) &&
      !(edge.to !== undefined && inside.has(edge.to)),
  );
}

/** The text of a state of a region in which what led out of the region leads to `next`, else to `ending`, else ends. */
function ledOut(
  state: State,
  written: string,
  { states, exit }: Region,
  next: string | undefined,
  ending: string | undefined,
): string {
  const inside = new Set(states.map((other) => other.name));
  const leaves = (target: Json | undefined) => typeof target === "string" && target === exit && !inside.has(target);
  let text = written;
  const { fields } = state;
  if (state.type === "Succeed" && next !== undefined)
    return setValue(setValue(text, ["Type"], "Pass"), ["Next"], next, "Type");
  if (fields.End === true && next !== undefined) text = replaceMember(text, ["End"], "Next", next);
  if (leaves(fields.Next))
    text = next === undefined ? replaceMember(text, ["Next"], "End", true) : setValue(text, ["Next"], next);
  const other = next ?? ending ?? "";
  if (leaves(fields.Default)) text = setValue(text, ["Default"], other);
  for (const list of ["Choices", "Catch"] as const) {
    const items = fields[list];
    if (!Array.isArray(items)) continue;
    items.forEach((item: Json, index) => {
      if (leaves((item as { Next?: Json } | null)?.Next)) text = setValue(text, [list, index, "Next"], other);
    });
  }
  return text;
}

/** The states of a region as text: an object of states by name, the one that is entered first. */
export function copyRegion(definition: Definition, { states, entry }: Region): Copied[] {
  const ordered = [entry, ...states.filter((state) => state.id !== entry.id)];
  return ordered.map((state) => ({
    name: state.name,
    type: state.type as Copied["type"],
    text: writtenAt(definition.text, state.path) ?? "{}",
  }));
}

/**
 * Puts copied states on an edge: what led along it leads to the first, and what leads to none of them to where it led.
 * Names that are taken are replaced by others.
 */
export function insertCopied(definition: Definition, edge: Edge, copied: readonly Copied[]): Edited {
  const [only] = copied;
  if (!only) return { text: definition.text };
  if (copied.length === 1) return insertOnEdge(definition, edge, only.type, only);
  const alone = namedFreely(definition, copied);
  const scope = alone && scopeOf(alone, "");
  if (!alone || !scope) return { text: definition.text };
  const region = { ...wholeScope(alone, scope), exit: undefined };
  const target = edge.to && definition.states.get(edge.to)?.name;
  const names = new Set(region.states.map((state) => state.name));
  const outer = scopeOf(definition, edge.scope);
  let text = definition.text;
  let after = edge.from && definition.states.get(edge.from)?.name;
  for (const state of region.states) {
    const written = writtenAt(alone.text, state.path) ?? "{}";
    text = setValue(
      text,
      [...outer.path, "States", state.name],
      new Written(leading(state, written, names, target)),
      after,
    );
    after = state.name;
  }
  const first = region.states[0]?.name ?? "";
  return { text: retarget(text, edge, first), selected: pointerOf([...outer.path, "States", first]) };
}

/** A definition of the copied states alone in which none has a name that `definition` has. */
function namedFreely(definition: Definition, copied: readonly Copied[]): Definition | undefined {
  const members = copied.map(({ name, text }) => ({
    name,
    text: withFreeNames(definition, { name, type: "Pass", text }, name),
  }));
  let text = `{"StartAt": ${JSON.stringify(copied[0]?.name ?? "")}, "States": {}}`;
  for (const member of members) text = setValue(text, ["States", member.name], new Written(member.text));
  let alone = readDefinition(text);
  for (const { name } of copied) {
    if (!alone || freeName(definition, name) === name) continue;
    const names = new Set([...alone.states.values()].map((state) => state.name));
    alone = readDefinition(renameState(alone, pointerOf(["States", name]), freeName(definition, name, names)).text);
  }
  return alone;
}

/** The text of a copied state in which what leads to none of `names` leads to `target`, or ends. */
function leading(state: State, written: string, names: ReadonlySet<string>, target: string | undefined): string {
  const { fields } = state;
  const isStray = (name: Json | undefined) => typeof name === "string" && !names.has(name);
  let text = written;
  if (
    state.type !== "Choice" &&
    !["Succeed", "Fail"].includes(state.type) &&
    (isStray(fields.Next) || !("Next" in fields))
  )
    text = ledTo(text, state.type as Copied["type"], target);
  const fallback = target ?? [...names].find((name) => name !== state.name) ?? state.name;
  if (isStray(fields.Default)) text = setValue(text, ["Default"], fallback);
  for (const list of ["Choices", "Catch"] as const) {
    const items = fields[list];
    if (!Array.isArray(items)) continue;
    items.forEach((item: Json, index) => {
      if (isStray((item as { Next?: Json } | null)?.Next)) text = setValue(text, [list, index, "Next"], fallback);
    });
  }
  return text;
}

/** Takes a region away: what led to it leads to where it led, and where that is nowhere, it ends or is taken away. */
export function deleteRegion(definition: Definition, region: Region): Edited {
  const { scope, exit } = region;
  const inside = new Set(region.states.map((state) => state.id));
  const others = scope.states.filter((id) => !inside.has(id));
  const other = definition.states.get(others[0] ?? "")?.name ?? "";
  let text = definition.text;
  const incoming = definition.edges.filter(
    (edge) => edge.scope === scope.id && edge.to !== undefined && inside.has(edge.to) && !inside.has(edge.from ?? ""),
  );
  for (const edge of incoming.toReversed()) {
    if (exit !== undefined) text = retarget(text, edge, exit);
    else if (edge.kind === "next") text = replaceMember(text, edge.path, "End", true);
    else if (edge.kind === "choice" || edge.kind === "catch") text = removeAt(text, edge.path.slice(0, -1));
    else if (edge.kind === "default") text = removeAt(text, edge.path);
    else text = setValue(text, edge.path, other);
  }
  for (const state of region.states.toReversed()) text = removeAt(text, state.path);
  return { text, ...(scope.owner === undefined ? {} : { selected: scope.owner }) };
}

/** Moves a region onto an edge that is not its own and not within it. */
export function moveRegion(definition: Definition, region: Region, edge: Edge): Edited {
  const inside = new Set(region.states.map((state) => state.id));
  const isWithin = region.states.some((state) => edge.scope === state.id || edge.scope.startsWith(`${state.id}/`));
  const touches = (edge.from !== undefined && inside.has(edge.from)) || (edge.to !== undefined && inside.has(edge.to));
  if (isWithin || touches) return { text: definition.text };
  const removed = readDefinition(deleteRegion(definition, region).text);
  const place = removed?.edges.find((other) => other.id === edge.id && other.scope === edge.scope);
  const again =
    place ??
    removed?.edges.find((other) => other.scope === edge.scope && other.from === edge.from && other.kind === edge.kind);
  if (!removed || !again) return { text: definition.text };
  return insertCopied(removed, again, copyRegion(definition, region));
}
