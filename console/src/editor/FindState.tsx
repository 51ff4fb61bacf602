import { useState } from "react";
import type { Definition } from "../model/definition";
import { Finder } from "./Finder";

/** More are found by more letters. */
const FOUND_MAX = 50;

/** Finds a state by letters of its name. */
export function FindState(props: { definition: Definition; onSelect: (id: string) => void; onClose: () => void }) {
  const [find, setFind] = useState("");
  const letters = find.toLowerCase();
  const found = [...props.definition.states.values()].filter(({ name }) => name.toLowerCase().includes(letters));
  const more = found.length - FOUND_MAX;
  return (
    <Finder
      header="Find a state"
      labels={{ field: "Its name", list: "States" }}
      find={find}
      onFind={setFind}
      found={found.slice(0, FOUND_MAX).map(({ id, name, type }) => ({ id, label: name, type }))}
      note={found.length === 0 ? "No state has such a name." : more > 0 ? `${more} more: type more letters.` : null}
      onChoose={({ id }) => props.onSelect(id)}
      onClose={props.onClose}
    />
  );
}
