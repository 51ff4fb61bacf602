import { useState } from "react";
import type { Problem } from "../model/problems";
import { useTools } from "./context";
import { FixButtons } from "./Fixes";

/** All problems in one line, and on demand each with its state and its fixes. */
export function ProblemList(props: { problems: readonly Problem[]; onSelect: (id: string) => void }) {
  const { problems, onSelect } = props;
  const { definition } = useTools();
  const [open, setOpen] = useState(false);
  const errors = problems.filter((problem) => problem.severity === "ERROR").length;
  const words = problems.length === 0 ? "No problems" : `${errors} errors, ${problems.length - errors} warnings`;
  return (
    <section className={`problems${errors > 0 ? " has-errors" : ""}`} aria-label="Problems">
      <div role="status">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "▾" : "▸"} {words}
        </button>
      </div>
      {open && (
        <ul>
          {problems.map((problem) => {
            const state = problem.state === undefined ? undefined : definition.states.get(problem.state);
            return (
              <li key={`${problem.from} ${problem.message}`} className={`is-${problem.severity.toLowerCase()}`}>
                <button type="button" disabled={!state} onClick={() => state && onSelect(state.id)}>
                  <strong>{state?.name ?? "State machine"}</strong> {problem.field ?? ""} {problem.message}
                </button>
                <FixButtons problem={problem} />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
