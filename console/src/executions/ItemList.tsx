import { useMemo, useState } from "react";
import { Rows } from "../app/Rows";
import { durationText, numberText } from "../app/words";
import { StatusIcon } from "../graph/icons";
import type { Run, Visit } from "../model/history";
import { type Item, itemsOf } from "../model/items";

const ROW = 28;

const CHOICES = ["all", "failed", "running", "succeeded", "aborted", "waiting"] as const;
type Choice = (typeof CHOICES)[number];

/** The items of a Map, by number and status; only what is in sight is drawn. */
export function ItemList(props: {
  run: Run;
  map: Visit;
  selected: number | undefined;
  onSelect: (item: Item | undefined) => void;
}) {
  const { run, map, selected, onSelect } = props;
  const items = useMemo(() => itemsOf(run, map), [run, map]);
  const [choice, setChoice] = useState<Choice>("all");
  const [find, setFind] = useState("");
  const counts = useMemo(() => countsOf(items), [items]);
  const shown = useMemo(
    () =>
      items.filter(
        (item) =>
          (choice === "all" || item.status === choice) &&
          (find === "" ||
            String(item.index).startsWith(find) ||
            item.error?.toLowerCase().includes(find.toLowerCase())),
      ),
    [items, choice, find],
  );
  return (
    <div className="items">
      <div className="list-tools">
        <input
          type="search"
          placeholder="Find by number or error"
          aria-label="Find items by number or error"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
        <select
          aria-label="Status of the items"
          value={choice}
          onChange={(event) => setChoice(event.target.value as Choice)}
        >
          {CHOICES.filter((choice) => choice === "all" || counts[choice]).map((choice) => (
            <option key={choice} value={choice}>
              {`${choice} (${numberText(choice === "all" ? items.length : (counts[choice] ?? 0))})`}
            </option>
          ))}
        </select>
        <button type="button" disabled={selected === undefined} onClick={() => onSelect(undefined)}>
          All items on the graph
        </button>
      </div>
      <Rows items={shown} keyOf={(item) => item.index} height={ROW} label="Items" className="items-list">
        {(item) => {
          const isSelected = item.index === selected;
          return (
            <button
              type="button"
              className={isSelected ? "is-selected" : ""}
              aria-pressed={isSelected}
              aria-label={`Item ${item.index}, ${item.status}`}
              onClick={() => onSelect(item)}
            >
              <span className="item-number">#{item.index}</span>
              <StatusIcon status={item.status} />
              <span className="item-state">{item.error ?? item.last?.name ?? ""}</span>
              <span className="item-time">
                {item.startMs === undefined || item.endMs === undefined ? "–" : durationText(item.endMs - item.startMs)}
              </span>
            </button>
          );
        }}
      </Rows>
    </div>
  );
}

function countsOf(items: readonly Item[]): Partial<Record<Choice, number>> {
  const counts: Partial<Record<Choice, number>> = {};
  for (const { status } of items) {
    const choice = CHOICES.find((choice) => choice === status);
    if (choice) counts[choice] = (counts[choice] ?? 0) + 1;
  }
  return counts;
}
