import { type PointerEvent, useState } from "react";
import type { Box, Placed } from "../layout/layout";
import type { Point } from "../layout/scope";
import type { Definition, Edge, StateId } from "../model/definition";
import { whyNotTo } from "../model/edits";

interface Pull {
  edge: Edge;
  at: Point;
  over: { target: StateId | undefined; box: Box } | undefined;
}

/**
 * The ends of the edges that lead from and to a state, to be dragged onto other siblings or onto the end. The form's
 * fields for where a state leads do the same by keyboard.
 */
export function EdgeEnds(props: {
  definition: Definition;
  placed: Placed;
  state: StateId;
  toFlow: (x: number, y: number) => Point | undefined;
  onPull: (edge: Edge | undefined) => void;
  onRetarget: (edge: Edge, target: StateId | undefined) => void;
}) {
  const { definition, placed, state, toFlow, onPull, onRetarget } = props;
  const [pull, setPull] = useState<Pull>();
  const ends = definition.edges.flatMap((edge) => {
    const point = placed.edges.get(edge.id)?.points.at(-1);
    return point && (edge.from === state || edge.to === state) ? [{ edge, point }] : [];
  });
  const over = (at: Point, edge: Edge): Pull["over"] => {
    const mark = placed.ends.get(edge.scope);
    if (mark && isIn(mark, at)) return { target: undefined, box: mark };
    // The innermost box: states lie on those that hold them.
    let found: { target: StateId; box: Box } | undefined;
    for (const [target, box] of placed.states) {
      if (isIn(box, at) && (!found || box.width * box.height < found.box.width * found.box.height))
        found = { target, box };
    }
    return found;
  };
  const move = (event: PointerEvent, edge: Edge) => {
    const at = toFlow(event.clientX, event.clientY);
    if (at) setPull({ edge, at, over: over(at, edge) });
  };
  const from = pull && placed.edges.get(pull.edge.id)?.points[0];
  const refusal = pull?.over && whyNotTo(definition, pull.edge, pull.over.target);
  return (
    <>
      {pull && from && (
        <svg className="edges" aria-hidden="true">
          <path className="pull-line" d={`M${from.x} ${from.y}L${pull.at.x} ${pull.at.y}`} />
          {pull.over && (
            <rect
              className={refusal === undefined ? "pull-target" : "pull-target is-refused"}
              x={pull.over.box.x - 3}
              y={pull.over.box.y - 3}
              width={pull.over.box.width + 6}
              height={pull.over.box.height + 6}
              rx={10}
            />
          )}
        </svg>
      )}
      {ends.map(({ edge, point }) => (
        <div
          key={edge.id}
          className="edge-end nopan"
          data-edge={edge.id}
          title="Drag this end to where it should lead"
          style={{ transform: `translate(-50%, -50%) translate(${point.x}px, ${point.y - 7}px)` }}
          onPointerDown={(event) => {
            event.preventDefault();
            event.stopPropagation();
            event.currentTarget.setPointerCapture(event.pointerId);
            onPull(edge);
            move(event, edge);
          }}
          onPointerMove={(event) => pull && move(event, edge)}
          onPointerUp={() => {
            onPull(undefined);
            setPull(undefined);
            if (pull?.over && refusal === undefined) onRetarget(edge, pull.over.target);
          }}
          onPointerCancel={() => {
            onPull(undefined);
            setPull(undefined);
          }}
        />
      ))}
      {pull && refusal !== undefined && (
        <div
          className="pull-refusal"
          style={{ transform: `translate(12px, 12px) translate(${pull.at.x}px, ${pull.at.y}px)` }}
        >
          {refusal}
        </div>
      )}
    </>
  );
}

function isIn(box: Box, { x, y }: Point): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}
