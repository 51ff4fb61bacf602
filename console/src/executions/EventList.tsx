import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Rows } from "../app/Rows";
import { durationText, numberText } from "../app/words";
import { type HistoryEvent, msOf, type Run, type Visit } from "../model/history";
import { fullEvent } from "./events";

const ROW = 28;

/** Every event, in either order, each with its JSON. */
export function EventList(props: {
  arn: string;
  events: readonly HistoryEvent[];
  run: Run;
  selected: Visit | undefined;
  onSelect: (visit: Visit | undefined) => void;
  until: number | undefined;
}) {
  const { arn, events, run, selected, onSelect, until } = props;
  const [find, setFind] = useState("");
  const [newest, setNewest] = useState(false);
  const [opened, setOpened] = useState<number>();
  const shown = useMemo(() => {
    const text = find.toLowerCase();
    const named = (event: HistoryEvent) => `${event.type} ${run.visitOf.get(event.id)?.name ?? ""}`.toLowerCase();
    const found = text === "" ? [...events] : events.filter((event) => named(event).includes(text));
    return newest ? found.reverse() : found;
  }, [events, run, find, newest]);
  const start = events[0];
  return (
    <div className="events">
      <div className="list-tools">
        <input
          type="search"
          placeholder="Find by type or state"
          aria-label="Find events by type or state"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
        <label>
          <input type="checkbox" checked={newest} onChange={(event) => setNewest(event.target.checked)} /> Newest first
        </label>
        <span>{numberText(shown.length)} shown</span>
      </div>
      <Rows
        items={shown}
        keyOf={(event) => event.id}
        height={ROW}
        grows
        label="Events"
        className="events-list"
        classOf={(event) => {
          const visit = run.visitOf.get(event.id);
          const isLater = until !== undefined && event.id > until;
          return [visit && visit === selected && "is-selected", isLater && "is-later"].filter(Boolean).join(" ");
        }}
      >
        {(event) => {
          const visit = run.visitOf.get(event.id);
          const isOpen = opened === event.id;
          return (
            <>
              <button
                type="button"
                aria-expanded={isOpen}
                onClick={() => {
                  setOpened(isOpen ? undefined : event.id);
                  if (visit) onSelect(visit);
                }}
              >
                <span className="event-id">{event.id}</span>
                <span className={`event-type ${toneOf(event.type)}`}>{event.type}</span>
                <span className="event-state">{visit?.name}</span>
                <span className="event-time">{start ? `+${durationText(msOf(event) - msOf(start))}` : ""}</span>
              </button>
              {isOpen && <EventJson arn={arn} event={event} />}
            </>
          );
        }}
      </Rows>
    </div>
  );
}

function toneOf(type: string): string {
  if (/Failed$|TimedOut$/.test(type)) return "is-bad";
  if (/Succeeded$/.test(type)) return "is-good";
  return "";
}

function EventJson({ arn, event }: { arn: string; event: HistoryEvent }) {
  const full = useQuery(fullEvent(arn, event.id));
  return (
    <pre className="data mono" tabIndex={0}>
      {JSON.stringify(full.data ?? event, null, 2)}
    </pre>
  );
}
