import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
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
  const host = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: run.visits.length,
    getScrollElement: () => host.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const endMs = Math.max(run.endMs ?? (live ? now : run.lastMs), run.lastMs, run.startMs + 1);
  const share = (ms: number) => `${(100 * (ms - run.startMs)) / (endMs - run.startMs)}%`;
  const index = selected ? run.visits.indexOf(selected) : -1;
  useEffect(() => {
    if (index >= 0) rows.scrollToIndex(index);
  }, [index, rows]);
  return (
    <section className="timeline" ref={host} tabIndex={0} aria-label="Timeline">
      <ul style={{ blockSize: rows.getTotalSize() }} aria-label="Visits in their order">
        {rows.getVirtualItems().map((row) => {
          const visit = run.visits[row.index];
          if (!visit) return null;
          const until = visit.endMs ?? endMs;
          return (
            <li key={visit.id} style={{ blockSize: ROW, transform: `translateY(${row.start}px)` }}>
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
                  <span
                    className={`bar status-${visit.status}`}
                    style={{
                      insetInlineStart: share(visit.startMs),
                      inlineSize: `max(3px, calc(${share(until)} - ${share(visit.startMs)}))`,
                    }}
                  />
                  {visit.attempts
                    .filter((attempt) => attempt.outcome === "failed")
                    .map((attempt) => (
                      <span
                        key={attempt.startMs}
                        className="bar is-attempt status-failed"
                        style={{
                          insetInlineStart: share(attempt.startMs),
                          inlineSize: `max(3px, calc(${share(attempt.endMs ?? endMs)} - ${share(attempt.startMs)}))`,
                        }}
                      />
                    ))}
                </span>
                <span className="timeline-time">{durationText(until - visit.startMs)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
