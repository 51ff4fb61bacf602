import Modal from "@cloudscape-design/components/modal";
import { useState } from "react";
import { TypeIcon } from "../graph/icons";
import { type Addable, findAddable } from "./palette";

/** Finds what to add by a few letters; arrows choose, Enter adds. */
export function QuickAdd(props: { where: string; onAdd: (item: Addable) => void; onClose: () => void }) {
  const [find, setFind] = useState("");
  const [index, setIndex] = useState(0);
  const found = findAddable(find);
  const chosen = found[Math.min(index, found.length - 1)];
  const optionId = (item: Addable) => `add-${item.id}`;
  return (
    <Modal visible size="small" header={`Insert ${props.where}`} closeAriaLabel="Close" onDismiss={props.onClose}>
      <div className="quick-add">
        <input
          // biome-ignore lint/a11y/noAutofocus: it was opened to type into
          autoFocus
          type="text"
          role="combobox"
          aria-label="What to insert"
          aria-expanded="true"
          aria-controls="quick-add-list"
          aria-activedescendant={chosen && optionId(chosen)}
          value={find}
          onChange={(event) => {
            setFind(event.target.value);
            setIndex(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setIndex(Math.min(index + 1, found.length - 1));
            else if (event.key === "ArrowUp") setIndex(Math.max(index - 1, 0));
            else if (event.key === "Enter" && chosen) props.onAdd(chosen);
            else return;
            event.preventDefault();
          }}
        />
        <div role="listbox" id="quick-add-list" aria-label="What can be inserted">
          {found.map((item) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys of its list
            <div
              key={item.id}
              id={optionId(item)}
              role="option"
              tabIndex={-1}
              aria-selected={item === chosen}
              onClick={() => props.onAdd(item)}
            >
              <TypeIcon type={item.type} />
              {item.label}
            </div>
          ))}
        </div>
      </div>
    </Modal>
  );
}
