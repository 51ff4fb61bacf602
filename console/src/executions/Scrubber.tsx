import { durationText } from "../app/words";
import { type HistoryEvent, msOf } from "../model/history";

/** Goes back to any event: graph, views and variables show the moment just after it. */
export function Scrubber(props: {
  events: readonly HistoryEvent[];
  at: number | undefined;
  onChange: (at: number | undefined) => void;
}) {
  const { events, at, onChange } = props;
  const last = events.at(-1)?.id ?? 1;
  const value = Math.min(at ?? last, last);
  const event = events[value - 1];
  const start = events[0];
  const set = (id: number) => onChange(id >= last ? undefined : Math.max(1, id));
  return (
    <div className="scrubber">
      <button type="button" aria-label="Event before" disabled={value <= 1} onClick={() => set(value - 1)}>
        ◀
      </button>
      <input
        type="range"
        aria-label="Moment of the execution, by event"
        aria-valuetext={event ? `Event ${event.id}, ${event.type}` : "No events"}
        min={1}
        max={last}
        value={value}
        onChange={(change) => set(Number(change.target.value))}
      />
      <button type="button" aria-label="Event after" disabled={value >= last} onClick={() => set(value + 1)}>
        ▶
      </button>
      <output>
        {event && start ? `${event.id} of ${last} · ${event.type} · +${durationText(msOf(event) - msOf(start))}` : "–"}
      </output>
      <button type="button" disabled={at === undefined} onClick={() => onChange(undefined)}>
        Now
      </button>
    </div>
  );
}
