import Modal from "@cloudscape-design/components/modal";
import { useState } from "react";
import { TypeIcon } from "../graph/icons";
import type { Definition, State } from "../model/definition";

/** More are found by more letters. */
const FOUND_MAX = 50;

/** Finds a state by letters of its name; arrows choose, Enter selects it. */
export function FindState(props: { definition: Definition; onSelect: (id: string) => void; onClose: () => void }) {
  const { definition, onSelect, onClose } = props;
  const [find, setFind] = useState("");
  const [index, setIndex] = useState(0);
  const letters = find.toLowerCase();
  const found = [...definition.states.values()].filter(({ name }) => name.toLowerCase().includes(letters));
  const shown = found.slice(0, FOUND_MAX);
  const chosen = shown[Math.min(index, shown.length - 1)];
  const optionId = (state: State) => `find-${shown.indexOf(state)}`;
  return (
    <Modal visible size="small" header="Find a state" closeAriaLabel="Close" onDismiss={onClose}>
      <div className="quick-add">
        <input
          // biome-ignore lint/a11y/noAutofocus: it was opened to type into
          autoFocus
          type="text"
          role="combobox"
          aria-label="Its name"
          aria-expanded="true"
          aria-controls="find-list"
          aria-activedescendant={chosen && optionId(chosen)}
          value={find}
          onChange={(event) => {
            setFind(event.target.value);
            setIndex(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setIndex(Math.min(index + 1, shown.length - 1));
            else if (event.key === "ArrowUp") setIndex(Math.max(index - 1, 0));
            else if (event.key === "Enter" && chosen) onSelect(chosen.id);
            else return;
            event.preventDefault();
          }}
        />
        <div role="listbox" id="find-list" aria-label="States">
          {shown.map((state) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys of its list
            <div
              key={state.id}
              id={optionId(state)}
              role="option"
              tabIndex={-1}
              aria-selected={state === chosen}
              onClick={() => onSelect(state.id)}
            >
              <TypeIcon type={state.type} />
              {state.name}
            </div>
          ))}
        </div>
      </div>
    </Modal>
  );
}
