/**
 * Where states and edges are drawn: layered, top down, edges with right angles.
 *
 * Since no edge leaves its scope, each scope is laid out alone, innermost first, and a state that holds scopes is a big
 * box to the scope it stands in. So the geometry of a scope is a function of its shape, and is remembered by it: an edit
 * lays out the touched scope and those around it. Geometry holds no content, which may change while the shape does not.
 */
import {
  type Definition,
  type Edge,
  type Scope,
  type ScopeId,
  type State,
  type StateId,
  scopeOf,
  TOP,
} from "../model/definition";
import { layScope, type Point, type ShapeEdge, type ShapeNode } from "./scope";

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 48;
const PILL = { width: 64, height: 28 };
const DOT = { width: 14, height: 14 };
const HEADER = 34;
const PADDING = 16;
const SCOPE_GAP = 16;
const EMPTY_SCOPE = { width: 200, height: 120 };

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed {
  states: Map<StateId, Box>;
  scopes: Map<ScopeId, Box>;
  /** The marks at which a scope starts and ends, by `start` and `end` edges' scope. */
  starts: Map<ScopeId, Box>;
  ends: Map<ScopeId, Box>;
  edges: Map<string, PlacedEdge>;
  width: number;
  height: number;
}

export interface PlacedEdge {
  points: Point[];
  /** Where its label and its place to insert are. */
  middle: Point;
}

/** Shapes that were laid out, the oldest forgotten first. */
export class LayoutMemory {
  private readonly shapes = new Map<string, ReturnType<typeof layScope>>();

  lay(key: string, make: () => ReturnType<typeof layScope>): ReturnType<typeof layScope> {
    const known = this.shapes.get(key);
    const laid = known ?? make();
    this.shapes.delete(key);
    this.shapes.set(key, laid);
    if (this.shapes.size > SHAPES_MAX) {
      const oldest = this.shapes.keys().next().value;
      if (oldest !== undefined) this.shapes.delete(oldest);
    }
    return laid;
  }
}

const SHAPES_MAX = 2_000;

export function layOut(definition: Definition, memory = new LayoutMemory()): Placed {
  const edges = new Map<ScopeId, Edge[]>();
  for (const edge of definition.edges) edges.set(edge.scope, [...(edges.get(edge.scope) ?? []), edge]);
  const placed: Placed = {
    states: new Map(),
    scopes: new Map(),
    starts: new Map(),
    ends: new Map(),
    edges: new Map(),
    width: 0,
    height: 0,
  };
  const top = layAlone(definition, scopeOf(definition, TOP), edges, memory);
  place(top, 0, 0, placed);
  placed.width = top.width;
  placed.height = top.height;
  return placed;
}

/** A scope laid out, its upper left corner at 0, 0. */
interface Laid {
  scope: Scope;
  width: number;
  height: number;
  nodes: Map<string, Box>;
  edges: Map<string, PlacedEdge>;
  inner: Map<StateId, { laid: Laid; x: number; y: number }[]>;
}

const START = "start";
const END = "end";

function layAlone(definition: Definition, scope: Scope, edges: Map<ScopeId, Edge[]>, memory: LayoutMemory): Laid {
  const inner: Laid["inner"] = new Map();
  const mark = scope.owner === undefined ? PILL : DOT;
  const own = edges.get(scope.id) ?? [];
  const nodes: ShapeNode[] = [{ id: START, ...mark }];
  for (const id of scope.states) {
    const state = definition.states.get(id);
    if (!state) continue;
    const size = sizeOf(definition, state, edges, memory, inner);
    nodes.push({ id, ...size });
  }
  const empty = scope.states.length === 0;
  if (empty || own.some((edge) => edge.kind === "end") || endless(definition, scope)) nodes.push({ id: END, ...mark });
  const shapeEdges: ShapeEdge[] = own.map((edge) => ({
    id: edge.id,
    from: edge.from ?? START,
    to: edge.to ?? END,
    labelWidth: edge.label === "" ? 0 : Math.min(130, 18 + edge.label.length * 6),
    isMain: edge.kind !== "catch",
  }));
  for (const id of scope.states) {
    if (definition.states.get(id)?.type === "Succeed") {
      shapeEdges.push({ id: succeedEdge(id), from: id, to: END, labelWidth: 0, isMain: true });
    }
  }
  const key = JSON.stringify([nodes.map((node) => [node.id, node.width, node.height]), shapeEdges]);
  const laid = memory.lay(key, () => layScope(nodes, shapeEdges));
  return {
    scope,
    width: Math.max(laid.width, empty ? EMPTY_SCOPE.width : 0),
    height: Math.max(laid.height, empty ? EMPTY_SCOPE.height : 0),
    nodes: laid.nodes,
    edges: laid.edges,
    inner,
  };
}

/** The edge that is drawn from a Succeed state to the end; it is in no text. */
export function succeedEdge(id: StateId): string {
  return `${id}#succeed`;
}

function endless(definition: Definition, scope: Scope): boolean {
  return scope.states.some((id) => definition.states.get(id)?.type === "Succeed");
}

function sizeOf(
  definition: Definition,
  state: State,
  edges: Map<ScopeId, Edge[]>,
  memory: LayoutMemory,
  inner: Laid["inner"],
): { width: number; height: number } {
  if (state.scopes.length === 0) return { width: NODE_WIDTH, height: NODE_HEIGHT };
  const within: { laid: Laid; x: number; y: number }[] = [];
  let x = PADDING;
  let height = 0;
  for (const id of state.scopes) {
    const laid = layAlone(definition, scopeOf(definition, id), edges, memory);
    within.push({ laid, x, y: HEADER });
    x += laid.width + 2 * PADDING + SCOPE_GAP;
    height = Math.max(height, laid.height);
  }
  inner.set(state.id, within);
  return { width: Math.max(NODE_WIDTH + 40, x - SCOPE_GAP + PADDING), height: HEADER + height + 2 * PADDING + PADDING };
}

function place(laid: Laid, x: number, y: number, placed: Placed) {
  const at = (box: Box): Box => ({ ...box, x: box.x + x, y: box.y + y });
  for (const [id, box] of laid.nodes) {
    if (id === START) placed.starts.set(laid.scope.id, at(box));
    else if (id === END) placed.ends.set(laid.scope.id, at(box));
    else placed.states.set(id, at(box));
  }
  for (const [id, edge] of laid.edges) {
    const moved = (point: Point): Point => ({ x: point.x + x, y: point.y + y });
    placed.edges.set(id, { points: edge.points.map(moved), middle: moved(edge.middle) });
  }
  for (const [owner, scopes] of laid.inner) {
    const box = laid.nodes.get(owner);
    if (!box) continue;
    const height = box.height - HEADER - PADDING;
    for (const within of scopes) {
      const scopeX = x + box.x + within.x;
      const scopeY = y + box.y + within.y;
      placed.scopes.set(within.laid.scope.id, { x: scopeX, y: scopeY, width: within.laid.width + 2 * PADDING, height });
      place(within.laid, scopeX + PADDING, scopeY + PADDING, placed);
    }
  }
}
