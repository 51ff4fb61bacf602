import Button from "@cloudscape-design/components/button";
import { useMemo, useState } from "react";
import { download } from "../app/download";
import { Rows } from "../app/Rows";
import { nameOf, numberText, prettyJson } from "../app/words";
import type { Logging } from "../aws/operations";
import type { HistoryEvent, Run, Visit } from "../model/history";
import { LOG_LEVELS, type LogLevel, logLines } from "../model/logLines";

const ROW = 24;

const LEVELS: Record<LogLevel, string> = { ALL: "All", ERROR: "Errors", FATAL: "Fatal alone" };
const TONES: Record<LogLevel, string> = { ALL: "", ERROR: "is-bad", FATAL: "is-bad is-fatal" };

/** The lines of the execution's log, as the state machine logs them; where it does not, as it would with all data. */
export function LogList(props: {
  arn: string;
  events: readonly HistoryEvent[];
  run: Run;
  logging: Logging | undefined;
  selected: Visit | undefined;
  onSelect: (visit: Visit | undefined) => void;
}) {
  const { arn, events, run, logging, selected, onSelect } = props;
  const logged = LOG_LEVELS.find((level) => level === logging?.level);
  const [level, setLevel] = useState(logged ?? "ALL");
  const [find, setFind] = useState("");
  const [opened, setOpened] = useState<number>();
  const withData = logged === undefined || logging?.includeExecutionData === true;
  const lines = useMemo(() => logLines(arn, events, level, withData), [arn, events, level, withData]);
  const shown = useMemo(() => {
    const text = find.toLowerCase();
    return text === "" ? lines : lines.filter((line) => line.text.toLowerCase().includes(text));
  }, [lines, find]);
  return (
    <div className="events">
      <div className="list-tools">
        <input
          type="search"
          placeholder="Find in the lines"
          aria-label="Find in the lines of the log"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
        <select aria-label="Level" value={level} onChange={(event) => setLevel(event.target.value as LogLevel)}>
          {LOG_LEVELS.map((level) => (
            <option key={level} value={level}>
              {LEVELS[level]}
            </option>
          ))}
        </select>
        <span>{numberText(shown.length)} shown</span>
        <Button
          iconName="download"
          variant="icon"
          ariaLabel="Download the lines"
          disabled={shown.length === 0}
          onClick={() => download(`${nameOf(arn)}.log`, `${shown.map(({ text }) => text).join("\n")}\n`)}
        />
      </div>
      <p className="list-note">{noteOf(logged, withData)}</p>
      <Rows
        items={shown}
        keyOf={(line) => line.id}
        height={ROW}
        grows
        label="Log"
        className="log-list mono"
        classOf={(line) => (selected && run.visitOf.get(line.id) === selected ? "is-selected" : "")}
      >
        {(line) => {
          const isOpen = opened === line.id;
          return (
            <>
              <button
                type="button"
                aria-expanded={isOpen}
                onClick={() => {
                  setOpened(isOpen ? undefined : line.id);
                  const visit = run.visitOf.get(line.id);
                  if (visit) onSelect(visit);
                }}
              >
                <span className="log-time">{new Date(line.ms).toISOString().slice(11, 23)}</span>
                <span className={`event-type ${TONES[line.level]}`}>{line.type}</span>
                <span className="log-text">{line.details}</span>
              </button>
              {isOpen && (
                <pre className="data mono" tabIndex={0}>
                  {prettyJson(line.text)}
                </pre>
              )}
            </>
          );
        }}
      </Rows>
    </div>
  );
}

function noteOf(logged: LogLevel | undefined, withData: boolean): string {
  if (logged === undefined) return "The state machine logs nothing: these are the lines that it would log.";
  const what = { ALL: "every event", ERROR: "errors", FATAL: "how executions end badly" }[logged];
  return `The state machine logs ${what}, ${withData ? "with" : "without"} inputs and outputs. Times are in UTC.`;
}
