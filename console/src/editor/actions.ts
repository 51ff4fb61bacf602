/** What can be done with the selected states: one list for the menu, the buttons and the keys. Pure. */
import type { Definition, StateId } from "../model/definition";
import { deleteState, duplicateState, type Edited } from "../model/edits";
import { canUnwrap, deleteRegion, regionOf, unwrap, type Wrapping, wrap, wrapWithCatch } from "../model/region";

export interface Action {
  id: string;
  label: string;
  /** As they are pressed, e.g. `Ctrl+D`. */
  keys?: string;
  /** Why it cannot be done now. */
  disabled?: string | undefined;
  run: () => void;
}

interface Doing {
  edit: (label: string, edited: Edited) => void;
  rename: () => void;
  copy: (cut: boolean) => void;
  test: () => void;
  extract: () => void;
  /** Why nothing can be extracted here at all. */
  extractsNothing: string | undefined;
}

export function actionsOn(definition: Definition, selected: readonly StateId[], doing: Doing): Action[] {
  const [id] = selected;
  const state = selected.length === 1 && id !== undefined ? definition.states.get(id) : undefined;
  const region = regionOf(definition, selected);
  const problem = "problem" in region ? region.problem : undefined;
  const wrapIn = (type: Wrapping) => () => {
    if (!("problem" in region)) doing.edit(`wrapped ${what} in ${type}`, wrap(definition, region, type));
  };
  const count = selected.length;
  const what = state ? state.name : `${count} states`;
  const catches = state !== undefined && ["Task", "Parallel", "Map"].includes(state.type);
  const one: Action[] = state
    ? [
        { id: "rename", label: "Rename", keys: "F2", run: doing.rename },
        { id: "test", label: "Test", keys: "T", run: doing.test },
        {
          id: "duplicate",
          label: "Duplicate",
          keys: "Ctrl+D",
          run: () => doing.edit(`duplicated ${what}`, duplicateState(definition, state.id)),
        },
      ]
    : [];
  return [
    ...one,
    { id: "copy", label: "Copy", keys: "Ctrl+C", run: () => doing.copy(false) },
    { id: "cut", label: "Cut", keys: "Ctrl+X", run: () => doing.copy(true) },
    {
      id: "parallel",
      label: "Wrap in Parallel",
      keys: "G",
      disabled: problem,
      run: wrapIn("Parallel"),
    },
    {
      id: "map",
      label: "Wrap in Map",
      keys: "M",
      disabled: problem,
      run: wrapIn("Map"),
    },
    {
      id: "extract",
      label: "Extract to a state machine…",
      keys: "X",
      disabled: problem ?? doing.extractsNothing,
      run: doing.extract,
    },
    ...(catches
      ? [
          {
            id: "catch",
            label: "Catch its errors",
            keys: "E",
            run: () => doing.edit(`catches errors of ${what}`, wrapWithCatch(definition, state.id)),
          },
        ]
      : []),
    ...(state && state.scopes.length > 0
      ? [
          {
            id: "unwrap",
            label: "Take out its states",
            keys: "U",
            disabled: canUnwrap(definition, state) ? undefined : "One of its branches is empty.",
            run: () => doing.edit(`took the states out of ${what}`, unwrap(definition, state.id)),
          },
        ]
      : []),
    {
      id: "delete",
      label: "Delete",
      keys: "Del",
      disabled: count > 1 ? problem : undefined,
      run: () => {
        if (state) doing.edit(`deleted ${what}`, deleteState(definition, state.id));
        else if (!("problem" in region)) doing.edit(`deleted ${what}`, deleteRegion(definition, region));
      },
    },
  ];
}
