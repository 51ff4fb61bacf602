import "@xyflow/react/dist/base.css";
import "./graph.css";
import {
  Background,
  type Node,
  type NodeProps,
  Panel,
  ReactFlow,
  type ReactFlowInstance,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import { type DragEvent, type KeyboardEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Box, LayoutMemory, layOut, type Placed, succeedEdge } from "../layout/layout";
import { type Definition, type Edge, type State, type StateId, statesWithin } from "../model/definition";
import { takesInsertion } from "../model/edits";
import type { StateStatus } from "../model/history";
import { EdgeEnds } from "./EdgeEnds";
import { StatusIcon, TypeIcon } from "./icons";
import { headPath, linePath } from "./path";
import { subtitle } from "./subtitle";

/** How a state did in an execution; `differs` where two are compared. */
export interface StateRun {
  status: StateStatus | "differs";
  /** How often it was entered. */
  visits: number;
  note?: string | undefined;
}

export interface Editing {
  onDrop: (edge: Edge, dragged: string) => void;
  onInsert: (edge: Edge) => void;
  /** The end of an edge was put onto a sibling, or onto the end of the scope. */
  onRetarget: (edge: Edge, target: StateId | undefined) => void;
}

export interface GraphViewProps {
  definition: Definition;
  label: string;
  selected?: StateId | undefined;
  /** Further states that are selected. */
  marked?: readonly StateId[];
  /** `adds`: to what is selected, or out of it. */
  onSelect?: (id: StateId | undefined, adds: boolean) => void;
  /** Of the states that were entered; given, the others look as not reached. */
  runs?: ReadonlyMap<StateId, StateRun>;
  /** Ids of edges that were taken. */
  taken?: ReadonlySet<string>;
  /** How many problems each state has. */
  problems?: ReadonlyMap<StateId, number>;
  editing?: Editing;
  /** The text behind it has errors: this is how it was before. */
  stale?: boolean;
}

/** What is dragged onto an edge: a type from the palette, or the id of a state after `state:`. */
export const DRAGGED = "application/x-stepwell";

/** From so many states on, what is out of sight is not drawn. */
const CULLED_FROM = 150;
/** Below, boxes have no text: it could not be read. */
const TEXT_ZOOM_MIN = 0.3;
const OPEN_ZOOM = { min: 0.6, max: 1 };
/** How near to an edge's middle, in pixels of the graph, something dragged snaps to it. */
const SNAP = 130;

type Data = {
  state?: State;
  mark?: "Start" | "End";
  frame?: string;
  run?: StateRun | undefined;
  reached: boolean;
  problems: number;
  draggable: boolean;
  retries: boolean;
  catches: boolean;
  /** It cannot be reached by the edge whose end is dragged. */
  unreachable: boolean;
};
type GraphNode = Node<Data>;

const NODE_TYPES = { state: memo(StateNode), mark: memo(MarkNode), frame: memo(FrameNode) };

export default function GraphView(props: GraphViewProps) {
  const { definition, selected, onSelect, editing } = props;
  const [memory] = useState(() => new LayoutMemory());
  const placed = useMemo(() => layOut(definition, memory), [definition, memory]);
  const [pulled, setPulled] = useState<Edge>();
  const nodes = useNodes(props, placed, pulled);
  const flow = useRef<ReactFlowInstance<GraphNode>>(undefined);
  const host = useRef<HTMLDivElement>(null);
  const [target, setTarget] = useState<string>();

  const open = useCallback(
    (instance: ReactFlowInstance<GraphNode>) => {
      flow.current = instance;
      const size = host.current?.getBoundingClientRect();
      if (size) instance.setViewport(openingView(placed, size));
    },
    [placed],
  );

  const show = useCallback(
    (id: StateId) => {
      const box = placed.states.get(id);
      const [instance, size] = [flow.current, host.current?.getBoundingClientRect()];
      if (!box || !instance || !size) return;
      const { x, y, zoom } = instance.getViewport();
      const [left, top] = [box.x * zoom + x, box.y * zoom + y];
      const isSeen = left >= 0 && top >= 0 && left + 100 * zoom <= size.width && top + 40 * zoom <= size.height;
      if (!isSeen) instance.setCenter(box.x + box.width / 2, box.y + Math.min(box.height / 2, 100), { zoom });
    },
    [placed],
  );

  useEffect(() => {
    if (selected !== undefined) show(selected);
  }, [selected, show]);

  const select = (id: StateId | undefined, adds = false) => onSelect?.(id, adds);

  const keys = (event: KeyboardEvent) => {
    const focused = (event.target as HTMLElement).closest<HTMLElement>(".react-flow__node")?.dataset.id;
    if (focused !== undefined && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(definition.states.has(focused) ? focused : undefined, event.ctrlKey || event.metaKey || event.shiftKey);
    } else if (event.key.startsWith("Arrow") && selected !== undefined) {
      const next = neighbour(definition, placed, selected, event.key);
      if (!next) return;
      event.preventDefault();
      event.stopPropagation();
      select(next, event.shiftKey);
      host.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(next)}"]`)?.focus();
    }
  };

  const edgeUnder = (event: DragEvent): Edge | undefined => {
    const at = flow.current?.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    return at && nearest(definition, placed, at);
  };
  const over = (event: DragEvent) => {
    if (!editing || !event.dataTransfer.types.includes(DRAGGED)) return;
    const edge = edgeUnder(event);
    setTarget(edge?.id);
    if (!edge) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = event.dataTransfer.effectAllowed === "move" ? "move" : "copy";
  };
  const drop = (event: DragEvent) => {
    const edge = edgeUnder(event);
    setTarget(undefined);
    const dragged = event.dataTransfer.getData(DRAGGED);
    if (!editing || !edge || dragged === "") return;
    event.preventDefault();
    editing.onDrop(edge, dragged);
  };

  return (
    <section
      className={`graph${props.runs ? " has-runs" : ""}${props.stale ? " is-stale" : ""}`}
      aria-label={props.label}
      ref={host}
      onKeyDown={keys}
      onDragOver={over}
      onDragLeave={() => setTarget(undefined)}
      onDrop={drop}
    >
      <ReactFlow<GraphNode>
        nodes={nodes}
        nodeTypes={NODE_TYPES}
        onInit={open}
        onNodeClick={(event, node) => select(node.data.state?.id, event.ctrlKey || event.metaKey || event.shiftKey)}
        onPaneClick={() => select(undefined)}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        // A container that is selected stays behind what it holds.
        elevateNodesOnSelect={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        minZoom={0.05}
        maxZoom={2}
        onlyRenderVisibleElements={definition.states.size >= CULLED_FROM}
        proOptions={{ hideAttribution: true }}
        disableKeyboardA11y
      >
        <Background gap={24} size={1} color="var(--line)" />
        <Detail host={host} />
        <ViewportPortal>
          <Edges definition={definition} placed={placed} taken={props.taken} target={target} editing={editing} />
          {editing && selected !== undefined && (
            <EdgeEnds
              definition={definition}
              placed={placed}
              state={selected}
              toFlow={(x, y) => flow.current?.screenToFlowPosition({ x, y })}
              onPull={setPulled}
              onRetarget={editing.onRetarget}
            />
          )}
        </ViewportPortal>
        <Panel position="bottom-left">
          <div className="graph-tools">
            <button type="button" aria-label="Zoom in" onClick={() => flow.current?.zoomIn()}>
              +
            </button>
            <button type="button" aria-label="Zoom out" onClick={() => flow.current?.zoomOut()}>
              −
            </button>
            <button type="button" aria-label="Show the whole graph" onClick={() => flow.current?.fitView()}>
              ⤢
            </button>
          </div>
        </Panel>
        <Panel position="top-left">
          <span className="graph-count">
            {definition.states.size} {definition.states.size === 1 ? "state" : "states"}
            {props.stale ? " · the text has errors; this is its last good state" : ""}
          </span>
        </Panel>
      </ReactFlow>
    </section>
  );
}

/** Tells the style sheet when text would be too small to read. */
function Detail({ host }: { host: { current: HTMLDivElement | null } }) {
  const isFar = useStore((state) => state.transform[2] < TEXT_ZOOM_MIN);
  useEffect(() => {
    host.current?.classList.toggle("is-far", isFar);
  }, [host, isFar]);
  return null;
}

function openingView(placed: Placed, size: { width: number; height: number }) {
  const fitting = Math.min((size.width - 40) / placed.width, (size.height - 60) / placed.height);
  const zoom = Math.min(OPEN_ZOOM.max, Math.max(OPEN_ZOOM.min, fitting));
  const start = placed.starts.get("");
  // What does not fit is opened at its start, not shrunk.
  const middle = placed.width * zoom <= size.width || !start ? placed.width / 2 : start.x + start.width / 2;
  return { x: size.width / 2 - middle * zoom, y: 36, zoom };
}

function useNodes(props: GraphViewProps, placed: Placed, pulled: Edge | undefined): GraphNode[] {
  const { definition, runs, problems, selected, marked, editing } = props;
  return useMemo(() => {
    const nodes: GraphNode[] = [];
    const base = {
      reached: true,
      problems: 0,
      draggable: false,
      retries: false,
      catches: false,
      unreachable: false,
    };
    const add = (id: string, type: string, box: Box, zIndex: number, data: Data, more: Partial<GraphNode> = {}) => {
      nodes.push({
        id,
        type,
        data,
        zIndex,
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        focusable: false,
        ...more,
      });
    };
    for (const scope of definition.scopes.values()) {
      const depth = scope.path.length;
      const frame = placed.scopes.get(scope.id);
      if (frame) add(`frame:${scope.id}`, "frame", frame, depth * 2 - 1, { ...base, frame: scope.title });
      const start = placed.starts.get(scope.id);
      if (start) add(`start:${scope.id}`, "mark", start, depth * 2, { ...base, mark: "Start" });
      const end = placed.ends.get(scope.id);
      if (end) add(`end:${scope.id}`, "mark", end, depth * 2, { ...base, mark: "End" });
      for (const id of scope.states) {
        const state = definition.states.get(id);
        const box = placed.states.get(id);
        if (!state || !box) continue;
        const run = runs?.get(id);
        const count = problems?.get(id) ?? 0;
        const data: Data = {
          state,
          run,
          reached: !runs || run !== undefined,
          problems: count,
          draggable: editing !== undefined,
          retries: Array.isArray(state.fields.Retry) && state.fields.Retry.length > 0,
          catches: Array.isArray(state.fields.Catch) && state.fields.Catch.length > 0,
          unreachable: pulled !== undefined && pulled.scope !== state.scope && !pulled.scope.startsWith(`${id}/`),
        };
        add(id, "state", box, depth * 2, data, {
          selected: id === selected || marked?.includes(id) === true,
          focusable: true,
          ariaLabel: spoken(definition, state, run, count),
        });
      }
    }
    return nodes;
  }, [definition, placed, runs, problems, selected, marked, editing, pulled]);
}

function spoken(definition: Definition, state: State, run: StateRun | undefined, problems: number): string {
  const inner = state.scopes.length > 0 ? `, holds ${statesWithin(definition, state.id).length} states` : "";
  const did = run ? `, ${run.status}${run.visits > 1 ? `, entered ${run.visits} times` : ""}` : "";
  return `${state.type || "State without type"} ${state.name}${inner}${did}${problems > 0 ? `, ${problems} problems` : ""}`;
}

function StateNode({ data, selected }: NodeProps<GraphNode>) {
  const { state, run, reached, problems } = data;
  if (!state) return null;
  const isBox = state.scopes.length > 0;
  const classes = [
    "state",
    isBox && "is-box",
    selected && "is-selected",
    !reached && "is-idle",
    data.unreachable && "is-unreachable",
    run && `status-${run.status}`,
    // What can be dragged does not drag the canvas.
    data.draggable && "nopan",
  ];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging has a way by keyboard in the editor
    <div
      className={classes.filter(Boolean).join(" ")}
      data-type={state.type}
      draggable={data.draggable}
      onDragStart={(event) => {
        event.stopPropagation();
        event.dataTransfer.setData(DRAGGED, `state:${state.id}`);
        event.dataTransfer.effectAllowed = "move";
      }}
    >
      <div className="state-head">
        <span className="state-icon">
          <TypeIcon type={state.type} />
        </span>
        <span className="state-words">
          <span className="state-name">{state.name}</span>
          <span className="state-kind">{subtitle(state)}</span>
        </span>
        <span className="state-badges">
          {data.retries && <span title="Retries">↻</span>}
          {data.catches && <span title="Catches errors">⚑</span>}
          {run && run.visits > 1 && <span className="state-count">×{run.visits}</span>}
          {run?.note && <span className="state-count">{run.note}</span>}
          {run && <StatusIcon status={run.status} />}
          {problems > 0 && <span className="state-problems">{problems}</span>}
        </span>
      </div>
    </div>
  );
}

function MarkNode({ data }: NodeProps<GraphNode>) {
  const isSmall = data.mark === undefined;
  return (
    <div className={`mark mark-${data.mark?.toLowerCase()}`} aria-hidden={isSmall}>
      <span>{data.mark}</span>
    </div>
  );
}

function FrameNode({ data }: NodeProps<GraphNode>) {
  return (
    <div className="frame">
      <span>{data.frame}</span>
    </div>
  );
}

interface EdgesProps {
  definition: Definition;
  placed: Placed;
  taken: ReadonlySet<string> | undefined;
  target: string | undefined;
  editing: Editing | undefined;
}

const Edges = memo(function Edges({ definition, placed, taken, target, editing }: EdgesProps) {
  const succeeds = [...definition.states.values()].filter((state) => state.type === "Succeed");
  const drawn = [
    ...definition.edges.map(({ id, kind }) => ({ id, kind: kind as string })),
    ...succeeds.map((state) => ({ id: succeedEdge(state.id), kind: "end" })),
  ];
  return (
    <>
      <svg className="edges" aria-hidden="true">
        {drawn.map(({ id, kind }) => {
          const points = placed.edges.get(id)?.points;
          if (!points) return null;
          const classes = `edge edge-${kind}${taken?.has(id) ? " is-taken" : ""}`;
          return (
            <g key={id} className={classes}>
              <path d={linePath(points)} className="edge-line" />
              <path d={headPath(points)} className="edge-head" />
            </g>
          );
        })}
      </svg>
      {definition.edges.map((edge) => {
        const middle = placed.edges.get(edge.id)?.middle;
        if (!middle) return null;
        const at = { transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` };
        return (
          <div key={edge.id} className="edge-label-place" style={at}>
            {edge.label !== "" && (
              <span className={`edge-label edge-label-${edge.kind}`} title={edge.label}>
                {edge.label}
              </span>
            )}
            {editing && takesInsertion(definition, edge) && (
              <button
                type="button"
                className="plus nopan"
                aria-label={`Insert ${edgeText(definition, edge)}`}
                onClick={() => editing.onInsert(edge)}
              >
                +
              </button>
            )}
            {edge.id === target && <span className="ghost" data-edge={edge.id} />}
          </div>
        );
      })}
    </>
  );
});

/** An edge in words. */
export function edgeText(definition: Definition, edge: Edge): string {
  const name = (id: StateId | undefined) => (id === undefined ? undefined : definition.states.get(id)?.name);
  const kind =
    edge.kind === "next" || edge.kind === "end" || edge.kind === "start" ? "" : ` (${edge.kind} ${edge.label})`;
  return `between ${name(edge.from) ?? "the start"} and ${name(edge.to) ?? "the end"}${kind}`;
}

function nearest(definition: Definition, placed: Placed, at: { x: number; y: number }): Edge | undefined {
  let best: { edge: Edge; distance: number } | undefined;
  for (const edge of definition.edges) {
    const middle = placed.edges.get(edge.id)?.middle;
    if (!middle || !takesInsertion(definition, edge)) continue;
    const distance = Math.hypot(middle.x - at.x, middle.y - at.y);
    if (distance <= SNAP && (!best || distance < best.distance)) best = { edge, distance };
  }
  return best?.edge;
}

/** The state that an arrow key leads to: along edges up and down, else to the nearest in that direction. */
function neighbour(definition: Definition, placed: Placed, id: StateId, key: string): StateId | undefined {
  const along = definition.edges.find((edge) =>
    key === "ArrowDown" ? edge.from === id && edge.to : key === "ArrowUp" && edge.to === id && edge.from,
  );
  const next = key === "ArrowDown" ? along?.to : along?.from;
  if (next) return next;
  const here = placed.states.get(id);
  if (!here) return undefined;
  let best: { id: StateId; distance: number } | undefined;
  for (const [other, box] of placed.states) {
    const [dx, dy] = [box.x + box.width / 2 - here.x - here.width / 2, box.y - here.y];
    const [ahead, aside] = key === "ArrowLeft" || key === "ArrowRight" ? [dx, dy] : [dy, dx];
    const forward = key === "ArrowRight" || key === "ArrowDown" ? ahead : -ahead;
    if (other === id || forward <= 1) continue;
    const distance = forward + 2 * Math.abs(aside);
    if (!best || distance < best.distance) best = { id: other, distance };
  }
  return best?.id;
}
