import Modal from "@cloudscape-design/components/modal";
import { type ReactNode, useId, useState } from "react";
import { TypeIcon } from "../graph/icons";

interface Findable {
  id: string;
  label: string;
  type: string;
  /** Where it is from. */
  group?: string;
}

/** Finds one of many by a few letters; arrows choose, Enter takes it. */
export function Finder<T extends Findable>(props: {
  header: string;
  /** What is typed, and what is listed, for screen readers. */
  labels: { field: string; list: string };
  find: string;
  onFind: (find: string) => void;
  found: readonly T[];
  /** What to know besides. */
  note?: ReactNode;
  onChoose: (item: T) => void;
  onClose: () => void;
}) {
  const { labels, found, onChoose } = props;
  const [index, setIndex] = useState(0);
  const list = useId();
  const at = Math.min(index, found.length - 1);
  const chosen = found[at];
  const optionId = (index: number) => `${list}-${index}`;
  const move = (to: number) => {
    const next = Math.max(0, Math.min(to, found.length - 1));
    setIndex(next);
    document.getElementById(optionId(next))?.scrollIntoView({ block: "nearest" });
  };
  return (
    <Modal visible size="small" header={props.header} closeAriaLabel="Close" onDismiss={props.onClose}>
      <div className="finder">
        <input
          // biome-ignore lint/a11y/noAutofocus: it was opened to type into
          autoFocus
          type="text"
          role="combobox"
          aria-label={labels.field}
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={chosen && optionId(at)}
          value={props.find}
          onChange={(event) => {
            props.onFind(event.target.value);
            setIndex(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") move(at + 1);
            else if (event.key === "ArrowUp") move(at - 1);
            else if (event.key === "Enter" && chosen) onChoose(chosen);
            else return;
            event.preventDefault();
          }}
        />
        <div role="listbox" id={list} aria-label={labels.list}>
          {found.map((item, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys of its list
            <div
              key={item.id}
              id={optionId(index)}
              role="option"
              tabIndex={-1}
              aria-selected={item === chosen}
              onClick={() => onChoose(item)}
            >
              <TypeIcon type={item.type} />
              <span>{item.label}</span>
              {item.group !== undefined && <span className="finder-group">{item.group}</span>}
            </div>
          ))}
        </div>
        {props.note && <p className="finder-note">{props.note}</p>}
      </div>
    </Modal>
  );
}
