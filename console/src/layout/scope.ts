/**
 * One scope: boxes and arrows to coordinates, after Sugiyama.
 *
 * 1. Arrows that close a circle are turned around. 2. Layers by the longest way from the start. 3. Arrows over several
 * layers get a bend in each. 4. Each layer is ordered, so that few arrows cross. 5. Boxes move towards what they are
 * connected with, without overlap. 6. Between layers each arrow gets a track of its own for its horizontal run.
 */
export interface Point {
  x: number;
  y: number;
}

export interface ShapeNode {
  id: string;
  width: number;
  height: number;
}

export interface ShapeEdge {
  id: string;
  from: string;
  to: string;
  /** 0: no label. */
  labelWidth: number;
  /** Part of the way that is taken when nothing goes wrong: drawn straight if possible. */
  isMain: boolean;
}

export interface LaidScope {
  width: number;
  height: number;
  nodes: Map<string, { x: number; y: number; width: number; height: number }>;
  edges: Map<string, { points: Point[]; middle: Point }>;
}

const NODE_GAP = 28;
const BEND_GAP = 16;
const BEND_WIDTH = 10;
const TRACK_GAP = 10;
const LAYER_GAP = 26;
const LABEL_HEIGHT = 26;
const SWEEPS_MAX = 12;
/** At least two up and down, however many vertices there are. */
const SWEEPS_MIN = 4;
/** Vertices looked at in all sweeps of one kind: keeps a thousand states with long arrows within a moment. */
const SWEPT_MAX = 60_000;
/** Space between the places at which arrows leave or enter one box. */
const PORT_GAP = 14;
/** Links that are off by no more than this are drawn straight; the second where a box has no other link on that side. */
const STRAIGHT_MAX = { shared: 3, alone: 26 };
/** From one label to the next above it. */
const LABEL_STEP = 17;

/** A box, or a bend of a long arrow. */
interface Vertex {
  index: number;
  id: string;
  width: number;
  height: number;
  isBend: boolean;
  layer: number;
  order: number;
  /** Of the middle. */
  x: number;
  /** Of the upper side. */
  y: number;
  /** Where the layer ends: the lower side of its highest box. */
  floor: number;
  up: Link[];
  down: Link[];
}

/** A part of an arrow from one layer to the next. */
interface Link {
  edge: number;
  upper: Vertex;
  lower: Vertex;
  weight: number;
  labelWidth: number;
  /** How many labels are between its own and the box. */
  labelStep: number;
  upperX: number;
  lowerX: number;
  track: number;
}

export function layScope(nodes: readonly ShapeNode[], edges: readonly ShapeEdge[]): LaidScope {
  const vertices = nodes.map((node, index) => vertexOf(node, index));
  const byId = new Map(vertices.map((vertex) => [vertex.id, vertex]));
  const drawn = edges.flatMap((edge, index) => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)];
    return from && to ? [{ edge, index, from, to }] : [];
  });
  const loops = drawn.filter(({ from, to }) => from === to);
  const arrows = turnCircles(
    vertices,
    drawn.filter(({ from, to }) => from !== to),
  );
  assignLayers(vertices, arrows);
  const chains = bend(vertices, arrows);
  const layers = orderLayers(vertices);
  placeAcross(layers);
  spreadPorts(vertices);
  const height = placeDown(layers);
  return draw(vertices, chains, loops, height);
}

function vertexOf(node: ShapeNode, index: number): Vertex {
  const { id, width, height } = node;
  return { index, id, width, height, isBend: false, layer: 0, order: 0, x: 0, y: 0, floor: 0, up: [], down: [] };
}

interface Arrow {
  edge: ShapeEdge;
  index: number;
  upper: Vertex;
  lower: Vertex;
  /** It points upwards. */
  turned: boolean;
}

function turnCircles(
  vertices: readonly Vertex[],
  drawn: { edge: ShapeEdge; index: number; from: Vertex; to: Vertex }[],
): Arrow[] {
  const out = vertices.map(() => [] as typeof drawn);
  for (const arrow of drawn) out[arrow.from.index]?.push(arrow);
  const state = new Uint8Array(vertices.length);
  const turned = new Set<number>();
  for (const root of vertices) {
    if (state[root.index] !== 0) continue;
    // Depth first with a stack of our own: a chain of a thousand states is no deep recursion.
    const stack = [{ vertex: root, next: 0 }];
    state[root.index] = 1;
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const arrow = out[top.vertex.index]?.[top.next++];
      if (!arrow) {
        state[top.vertex.index] = 2;
        stack.pop();
      } else if (state[arrow.to.index] === 1) {
        turned.add(arrow.index);
      } else if (state[arrow.to.index] === 0) {
        state[arrow.to.index] = 1;
        stack.push({ vertex: arrow.to, next: 0 });
      }
    }
  }
  return drawn.map(({ edge, index, from, to }) =>
    turned.has(index)
      ? { edge, index, upper: to, lower: from, turned: true }
      : { edge, index, upper: from, lower: to, turned: false },
  );
}

function assignLayers(vertices: readonly Vertex[], arrows: readonly Arrow[]) {
  const incoming = vertices.map(() => 0);
  const out = vertices.map(() => [] as Arrow[]);
  for (const arrow of arrows) {
    incoming[arrow.lower.index] = (incoming[arrow.lower.index] ?? 0) + 1;
    out[arrow.upper.index]?.push(arrow);
  }
  const ready = vertices.filter((vertex) => incoming[vertex.index] === 0);
  for (const vertex of ready) {
    for (const { lower } of out[vertex.index] ?? []) {
      lower.layer = Math.max(lower.layer, vertex.layer + 1);
      incoming[lower.index] = (incoming[lower.index] ?? 0) - 1;
      if (incoming[lower.index] === 0) ready.push(lower);
    }
  }
}

/** Each arrow as links from layer to layer; gives long ones their bends. */
function bend(vertices: Vertex[], arrows: readonly Arrow[]): { arrow: Arrow; links: Link[] }[] {
  return arrows.map((arrow) => {
    const links: Link[] = [];
    let upper = arrow.upper;
    for (let layer = arrow.upper.layer + 1; layer <= arrow.lower.layer; layer++) {
      const isLast = layer === arrow.lower.layer;
      const isLabelled = links.length === 0 && arrow.edge.labelWidth > 0;
      const width = isLabelled ? Math.max(BEND_WIDTH, arrow.edge.labelWidth) : BEND_WIDTH;
      const lower = isLast
        ? arrow.lower
        : { ...vertexOf({ id: "", width, height: 0 }, vertices.length), isBend: true, layer };
      if (!isLast) vertices.push(lower);
      // Bends pull hardest, so that long arrows run straight.
      const weight =
        (upper.isBend && lower.isBend ? 8 : upper.isBend || lower.isBend ? 2 : 1) * (arrow.edge.isMain ? 2 : 1);
      const link: Link = {
        edge: arrow.index,
        upper,
        lower,
        weight,
        labelWidth: isLabelled ? arrow.edge.labelWidth : 0,
        labelStep: 0,
        upperX: 0,
        lowerX: 0,
        track: 0,
      };
      upper.down.push(link);
      lower.up.push(link);
      links.push(link);
      upper = lower;
    }
    return { arrow, links };
  });
}

function sweepsOver(vertices: number): number {
  return Math.max(SWEEPS_MIN, Math.min(SWEEPS_MAX, Math.floor(SWEPT_MAX / Math.max(1, vertices))));
}

function orderLayers(vertices: readonly Vertex[]): Vertex[][] {
  const layers: Vertex[][] = [];
  const seen = new Set<Vertex>();
  // The first order is that of a walk along the arrows, so that rules of a Choice stand in theirs.
  for (const root of vertices) {
    const stack = [root];
    for (let vertex = stack.pop(); vertex; vertex = stack.pop()) {
      if (seen.has(vertex) || (vertex !== root && vertex.up.some((link) => !seen.has(link.upper)) && !vertex.isBend))
        continue;
      seen.add(vertex);
      const layer = layers[vertex.layer] ?? [];
      layers[vertex.layer] = layer;
      vertex.order = layer.push(vertex) - 1;
      for (const link of vertex.down.toReversed()) stack.push(link.lower);
    }
  }
  for (let i = 0; i < layers.length; i++) layers[i] ??= [];
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  const sweeps = sweepsOver(vertices.length);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const downwards = sweep % 2 === 0;
    for (const layer of downwards ? layers.slice(1) : layers.slice(0, -1).toReversed()) orderBy(layer, downwards);
    const now = crossings(layers);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => [...layer]);
    }
  }
  for (const layer of best) renumber(layer);
  return best;
}

function orderBy(layer: Vertex[], downwards: boolean) {
  const wish = new Map<Vertex, number>();
  for (const vertex of layer) {
    const links = downwards ? vertex.up : vertex.down;
    const sum = links.reduce((sum, link) => sum + (downwards ? link.upper : link.lower).order, 0);
    wish.set(vertex, links.length === 0 ? vertex.order : sum / links.length);
  }
  layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || a.order - b.order);
  renumber(layer);
}

function renumber(layer: readonly Vertex[]) {
  layer.forEach((vertex, order) => {
    vertex.order = order;
  });
}

/** Pairs of links that cross, counted between each two layers with a Fenwick tree. */
function crossings(layers: readonly Vertex[][]): number {
  let count = 0;
  for (const [index, layer] of layers.entries()) {
    const lower = layers[index + 1];
    if (!lower) break;
    const tree = new Int32Array(lower.length + 1);
    let sum = 0;
    for (const vertex of layer) {
      const targets = vertex.down.map((link) => link.lower.order);
      for (const target of targets) {
        let before = 0;
        for (let i = target + 1; i > 0; i -= i & -i) before += tree[i] ?? 0;
        count += sum - before;
      }
      for (const target of targets) {
        sum++;
        for (let i = target + 1; i < tree.length; i += i & -i) tree[i] = (tree[i] ?? 0) + 1;
      }
    }
  }
  return count;
}

function placeAcross(layers: readonly Vertex[][]) {
  for (const layer of layers) {
    let x = 0;
    for (const [index, vertex] of layer.entries()) {
      const before = layer[index - 1];
      x += before ? distance(before, vertex) : 0;
      vertex.x = x;
    }
  }
  const sweeps = sweepsOver(layers.reduce((sum, layer) => sum + layer.length, 0));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const downwards = sweep % 2 === 0;
    // The last sweeps listen to both sides.
    const both = sweep >= sweeps - Math.min(4, sweeps / 2);
    for (const layer of downwards ? layers : layers.toReversed()) settle(layer, downwards || both, !downwards || both);
  }
}

function distance(left: Vertex, right: Vertex): number {
  const gap = left.isBend || right.isBend ? BEND_GAP : NODE_GAP;
  return (left.width + right.width) / 2 + gap;
}

/**
 * Moves the vertices of a layer as near as possible to where their links pull them, in order and without overlap.
 *
 * Least squares with a smallest distance: neighbours that want to pass each other are pooled into a block that moves to
 * the mean of their wishes (pool adjacent violators).
 */
function settle(layer: readonly Vertex[], up: boolean, down: boolean) {
  const blocks: { sum: number; weight: number; size: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const [index, vertex] of layer.entries()) {
    const before = layer[index - 1];
    if (before) offset += distance(before, vertex);
    offsets.push(offset);
    let sum = 0;
    let weight = 0;
    for (const link of up ? vertex.up : []) {
      sum += link.upper.x * link.weight;
      weight += link.weight;
    }
    for (const link of down ? vertex.down : []) {
      sum += link.lower.x * link.weight;
      weight += link.weight;
    }
    // What nothing pulls stays, with little force.
    if (weight === 0) [sum, weight] = [vertex.x * 0.1, 0.1];
    blocks.push({ sum: sum - offset * weight, weight, size: 1 });
    for (
      let last = blocks.at(-1), prior = blocks.at(-2);
      last && prior && prior.sum / prior.weight > last.sum / last.weight;
    ) {
      prior.sum += last.sum;
      prior.weight += last.weight;
      prior.size += last.size;
      blocks.pop();
      [last, prior] = [blocks.at(-1), blocks.at(-2)];
    }
  }
  let index = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.size; i++, index++) {
      const vertex = layer[index];
      if (vertex) vertex.x = block.sum / block.weight + (offsets[index] ?? 0);
    }
  }
}

/** Where links leave and enter: side by side around the middle, in the order of their other ends. */
function spreadPorts(vertices: readonly Vertex[]) {
  for (const vertex of vertices) {
    for (const [x, link] of ports(vertex, vertex.up, (link) => link.upper)) link.lowerX = x;
    for (const [x, link] of ports(vertex, vertex.down, (link) => link.lower)) link.upperX = x;
  }
  // Nearly straight becomes straight where a box ends the link: it can be met anywhere.
  for (const link of vertices.flatMap((vertex) => vertex.down)) {
    const off = Math.abs(link.upperX - link.lowerX);
    const most = (links: Link[]) => (links.length === 1 ? STRAIGHT_MAX.alone : STRAIGHT_MAX.shared);
    if (!link.lower.isBend && off <= most(link.lower.up)) link.lowerX = link.upperX;
    else if (!link.upper.isBend && off <= most(link.upper.down)) link.upperX = link.lowerX;
  }
}

function ports(vertex: Vertex, links: readonly Link[], other: (link: Link) => Vertex): [number, Link][] {
  const sorted = links.toSorted((a, b) => other(a).x - other(b).x);
  const gap = vertex.isBend ? 0 : Math.min(PORT_GAP, (vertex.width - 16) / Math.max(1, sorted.length));
  return sorted.map((link, index) => [Math.round(vertex.x + (index - (sorted.length - 1) / 2) * gap), link]);
}

/** Heights of layers and tracks between them; answers the whole height. */
function placeDown(layers: readonly Vertex[][]): number {
  let y = 0;
  for (const layer of layers) {
    const height = Math.max(0, ...layer.map((vertex) => vertex.height));
    for (const vertex of layer) {
      vertex.y = y;
      vertex.floor = y + height;
      if (vertex.isBend) vertex.height = height;
    }
    const links = layer.flatMap((vertex) => vertex.down);
    const tracks = assignTracks(links);
    const label = stackLabels(links);
    y += height;
    if (links.length > 0) y += LAYER_GAP + Math.max(0, tracks - 1) * TRACK_GAP + label;
  }
  return y;
}

/** Gives labels that meet at one box places one above the other; answers what all of a layer need. */
function stackLabels(links: readonly Link[]): number {
  const below = new Map<Vertex, number>();
  for (const link of links) {
    if (link.labelWidth === 0) continue;
    link.labelStep = below.get(link.lower) ?? 0;
    below.set(link.lower, link.labelStep + 1);
  }
  const most = Math.max(0, ...below.values());
  return most === 0 ? 0 : LABEL_HEIGHT + (most - 1) * LABEL_STEP;
}

/**
 * Gives links whose horizontal runs would overlap tracks one below the other; answers how many.
 *
 * Runs to the right take the tracks from the bottom up and runs to the left from the top down, so that those from one
 * box do not cross each other.
 */
function assignTracks(links: readonly Link[]): number {
  const bent = links.filter((link) => link.upperX !== link.lowerX);
  const sorted = bent.toSorted((a, b) => {
    const [aRight, bRight] = [a.lowerX > a.upperX, b.lowerX > b.upperX];
    if (aRight !== bRight) return aRight ? 1 : -1;
    return aRight ? b.upperX - a.upperX : a.upperX - b.upperX;
  });
  const taken: [number, number][][] = [];
  for (const link of sorted) {
    const run: [number, number] = [Math.min(link.upperX, link.lowerX) - 4, Math.max(link.upperX, link.lowerX) + 4];
    let track = taken.findIndex((runs) => runs.every(([from, to]) => run[1] < from || run[0] > to));
    if (track < 0) track = taken.push([]) - 1;
    taken[track]?.push(run);
    link.track = track;
  }
  return taken.length;
}

function draw(
  vertices: readonly Vertex[],
  chains: readonly { arrow: Arrow; links: Link[] }[],
  loops: readonly { edge: ShapeEdge; from: Vertex }[],
  height: number,
): LaidScope {
  const edges: LaidScope["edges"] = new Map();
  for (const { arrow, links } of chains) edges.set(arrow.edge.id, route(arrow, links));
  for (const { edge, from } of loops) {
    const right = from.x + from.width / 2;
    const points = [
      { x: right, y: from.y + from.height * 0.7 },
      { x: right + 14, y: from.y + from.height * 0.7 },
      { x: right + 14, y: from.y + from.height * 0.3 },
      { x: right, y: from.y + from.height * 0.3 },
    ];
    edges.set(edge.id, { points, middle: { x: right + 14, y: from.y + from.height / 2 } });
  }
  const boxes = vertices.filter((vertex) => !vertex.isBend);
  const points = [...edges.values()].flatMap((edge) => edge.points.map((point) => point.x));
  const labels = chains.flatMap(({ arrow }) => {
    const middle = edges.get(arrow.edge.id)?.middle.x ?? 0;
    return [middle - arrow.edge.labelWidth / 2, middle + arrow.edge.labelWidth / 2];
  });
  const lefts = [...boxes.map((box) => box.x - box.width / 2), ...points, ...labels];
  const rights = [...boxes.map((box) => box.x + box.width / 2), ...points, ...labels];
  const left = Math.round(lefts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
  const right = rights.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const move = (point: Point): Point => ({ x: Math.round(point.x - left), y: Math.round(point.y) });
  return {
    width: Math.max(0, Math.round(right - left)),
    height: Math.round(height),
    nodes: new Map(
      boxes.map((box) => {
        const { x, y } = move({ x: box.x - box.width / 2, y: box.y });
        return [box.id, { x, y, width: box.width, height: box.height }];
      }),
    ),
    edges: new Map([...edges].map(([id, edge]) => [id, { points: edge.points.map(move), middle: move(edge.middle) }])),
  };
}

function route(arrow: Arrow, links: readonly Link[]): { points: Point[]; middle: Point } {
  const points: Point[] = [];
  for (const link of links) {
    const trackY = link.upper.floor + LAYER_GAP / 2 + link.track * TRACK_GAP;
    points.push({ x: link.upperX, y: link.upper.y + link.upper.height });
    if (link.upperX !== link.lowerX) points.push({ x: link.upperX, y: trackY }, { x: link.lowerX, y: trackY });
    points.push({ x: link.lowerX, y: link.lower.y });
  }
  const first = links[0];
  const middle = { x: first?.lowerX ?? 0, y: first ? labelY(first) : 0 };
  const simple = points.filter((point, index) => {
    const [before, next] = [points[index - 1], points[index + 1]];
    return !before || !next || !(before.x === point.x && point.x === next.x);
  });
  return { points: arrow.turned ? simple.toReversed() : simple, middle };
}

function labelY(link: Link): number {
  return link.lower.y - 14 - link.labelStep * LABEL_STEP;
}
