import { type Fix, fixesOf } from "../model/fixes";
import type { Problem } from "../model/problems";
import { useTools } from "./context";

/** A problem in words, with what can be done about it at once. */
export function ProblemNote({ problem }: { problem: Problem }) {
  return (
    <span className={`problem-note is-${problem.severity.toLowerCase()}`}>
      {problem.message} <FixButtons problem={problem} />
    </span>
  );
}

export function FixButtons({ problem }: { problem: Problem }) {
  const { definition, edit } = useTools();
  const fixes = fixesOf(definition, problem);
  if (fixes.length === 0) return null;
  return (
    <span className="fixes">
      {fixes.map((fix: Fix) => (
        <button key={fix.label} type="button" onClick={() => edit(`fixed: ${fix.label}`, fix.edit(definition))}>
          {fix.label}
        </button>
      ))}
    </span>
  );
}
