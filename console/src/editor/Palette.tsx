import { useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { DRAGGED } from "../graph/GraphView";
import { TypeIcon } from "../graph/icons";
import { parametersQuery, useAddable } from "./catalogue";
import { FoundNote } from "./FoundNote";
import type { Addable } from "./palette";

/** A name that may break between its words: `PutBucketPolicy`. */
function breakable(label: string) {
  return label.split(/(?<=[a-z])(?=[A-Z])/).map((word, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the words of a name stay where they are
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {word}
    </Fragment>
  ));
}

/** Everything that can be added: dragged onto an edge, or pressed to go behind the selected state. */
export function Palette({ onAdd }: { onAdd: (item: Addable) => void }) {
  const [find, setFind] = useState("");
  const found = useAddable(find);
  const queries = useQueryClient();
  return (
    <nav className="palette" aria-label="States to add">
      <input
        type="search"
        placeholder="Find any action"
        aria-label="Find states to add"
        value={find}
        onChange={(event) => setFind(event.target.value)}
      />
      <p className="finder-note" role="status">
        <FoundNote find={find} {...found} />
      </p>
      {(["Flow", "Actions", "AWS SDK"] as const).map((group) => {
        const items = found.items.filter((item) => item.group === group);
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
                      title={`${item.label}\nDrag onto an edge, or press to add behind the selected state`}
                      onDragStart={(event) => {
                        event.dataTransfer.setData(DRAGGED, item.id);
                        event.dataTransfer.effectAllowed = "copy";
                        // They are there when it is dropped.
                        if (item.calls) void queries.prefetchQuery(parametersQuery(item.calls));
                      }}
                      onClick={() => onAdd(item)}
                    >
                      <TypeIcon type={item.type} />
                      <span>{breakable(item.label)}</span>
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
