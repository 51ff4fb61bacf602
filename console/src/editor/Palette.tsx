import { useState } from "react";
import { DRAGGED } from "../graph/GraphView";
import { TypeIcon } from "../graph/icons";
import { type Addable, findAddable } from "./palette";

/** Everything that can be added: dragged onto an edge, or pressed to go behind the selected state. */
export function Palette({ onAdd }: { onAdd: (item: Addable) => void }) {
  const [find, setFind] = useState("");
  const found = findAddable(find);
  return (
    <nav className="palette" aria-label="States to add">
      <input
        type="search"
        placeholder="Find"
        aria-label="Find states to add"
        value={find}
        onChange={(event) => setFind(event.target.value)}
      />
      {(["Flow", "Actions"] as const).map((group) => {
        const items = found.filter((item) => item.group === group);
        return (
          items.length > 0 && (
            <section key={group}>
              <h2>{group}</h2>
              <ul>
                {items.map((item) => (
                  <li key={item.id}>
                    <button
                      type="button"
                      draggable
                      title={`Drag onto an edge, or press to add behind the selected state`}
                      onDragStart={(event) => {
                        event.dataTransfer.setData(DRAGGED, item.id);
                        event.dataTransfer.effectAllowed = "copy";
                      }}
                      onClick={() => onAdd(item)}
                    >
                      <TypeIcon type={item.type} />
                      <span>{item.label}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )
        );
      })}
    </nav>
  );
}
