/** What every part of the editor's form needs, so that it is not handed through each of them. */
import { createContext, useContext } from "react";
import type { Definition, State } from "../model/definition";
import type { Edited } from "../model/edits";
import type { Json, Path, Written } from "../model/text";
import { removeDeep, setDeep } from "../model/text";
import type { DesignData } from "./designData";

export interface EditorTools {
  definition: Definition;
  /** What the expressions of the selected state see; `undefined` without one. */
  data: DesignData | undefined;
  edit: (label: string, edited: Edited, mergeKey?: string) => void;
  undo: () => void;
  redo: () => void;
}

const Tools = createContext<EditorTools | undefined>(undefined);

export const ToolsProvider = Tools.Provider;

export function useTools(): EditorTools {
  const tools = useContext(Tools);
  if (!tools) throw new Error("there is no editor around this");
  return tools;
}

/**
 * Sets a value of a state or of the state machine as one step of its own; the same place again joins it. `besides` are
 * other fields of the same owner that change with it.
 */
export function useSetField(state: State | undefined) {
  const { definition, edit } = useTools();
  return (path: Path, value: Json | Written | undefined, besides: Record<string, Json> = {}) => {
    const owner = state?.path ?? [];
    const whole = [...owner, ...path];
    const { text } = definition;
    const set = value === undefined ? removeDeep(text, whole, owner.length) : setDeep(text, whole, value);
    const changed = Object.entries(besides).reduce(
      (text, [name, value]) => setDeep(text, [...owner, name], value),
      set,
    );
    const name = path.filter((step) => typeof step === "string").join(".");
    edit(
      state ? `changed ${name} of ${state.name}` : `changed ${name}`,
      { text: changed, ...(state ? { selected: state.id } : {}) },
      `${state?.id ?? "machine"} ${path.join(".")}`,
    );
  };
}
