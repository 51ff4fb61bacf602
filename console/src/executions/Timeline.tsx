import { useEffect, useState } from "react";
import { Rows } from "../app/Rows";
import { durationText } from "../app/words";
import { StatusIcon } from "../graph/icons";
import type { Run, Visit } from "../model/history";

const ROW = 26;
/** How often the bars of what still runs grow. */
const TICK_MS = 500;

/** Each visit as a bar over time, failed attempts within it in their colour. */
export function Timeline(props: {
  run: Run;
  selected: Visit | undefined;
  onSelect: (visit: Visit) => void;
  live: boolean;
}) {
  const { run, selected, onSelect, live } = props;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [live]);
  const endMs = Math.max(run.endMs ?? (live ? now : run.lastMs), run.lastMs, run.startMs + 1);
  const share = (ms: number) => `${(100 * (ms - run.startMs)) / (endMs - run.startMs)}%`;
  const bar = (startMs: number, untilMs: number) => ({
    insetInlineStart: share(startMs),
    inlineSize: `max(3px, calc(${share(untilMs)} - ${share(startMs)}))`,
  });
  return (
    <Rows
      items={run.visits}
      keyOf={(visit) => visit.id}
      height={ROW}
      label="Timeline"
      className="timeline"
      shown={selected ? run.visits.indexOf(selected) : -1}
    >
      {(visit) => {
        const until = visit.endMs ?? endMs;
        return (
          <button
            type="button"
            className={visit === selected ? "is-selected" : ""}
            aria-pressed={visit === selected}
            onClick={() => onSelect(visit)}
          >
            <span className="timeline-name" style={{ paddingInlineStart: 8 + visit.depth * 14 }}>
              <StatusIcon status={visit.status} />
              <span>
                {visit.name}
                {visit.iteration === undefined ? "" : ` #${visit.iteration}`}
              </span>
            </span>
            <span className="timeline-bars">
              <span className={`bar status-${visit.status}`} style={bar(visit.startMs, until)} />
              {visit.attempts
                .filter((attempt) => attempt.outcome === "failed")
                .map((attempt) => (
                  <span
                    key={attempt.startMs}
                    className="bar is-attempt status-failed"
                    style={bar(attempt.startMs, attempt.endMs ?? endMs)}
                  />
                ))}
            </span>
            <span className="timeline-time">{durationText(until - visit.startMs)}</span>
          </button>
        );
      }}
    </Rows>
  );
}
