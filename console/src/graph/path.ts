/** Lines with right angles as SVG paths. */
import type { Point } from "../layout/scope";

const CORNER = 8;
const HEAD = { length: 7, width: 4 };

/** A line through the points, its corners rounded. */
export function linePath(points: readonly Point[]): string {
  const [first] = points;
  if (!first) return "";
  const parts = [`M${first.x} ${first.y}`];
  for (let i = 1; i < points.length; i++) {
    const [before, point, next] = [points[i - 1], points[i], points[i + 1]];
    if (!before || !point) continue;
    if (!next) {
      parts.push(`L${point.x} ${point.y}`);
      continue;
    }
    const radius = Math.min(CORNER, length(before, point) / 2, length(point, next) / 2);
    const into = towards(point, before, radius);
    const out = towards(point, next, radius);
    parts.push(`L${into.x} ${into.y}Q${point.x} ${point.y} ${out.x} ${out.y}`);
  }
  return parts.join("");
}

/** The head of an arrow at the end of the line. */
export function headPath(points: readonly Point[]): string {
  const [before, tip] = [points.at(-2), points.at(-1)];
  if (!before || !tip) return "";
  const base = towards(tip, before, HEAD.length);
  const [dx, dy] = [Math.sign(tip.y - before.y) * HEAD.width, Math.sign(tip.x - before.x) * HEAD.width];
  return `M${tip.x} ${tip.y}L${base.x + dx} ${base.y + dy}L${base.x - dx} ${base.y - dy}Z`;
}

function length(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

/** The point at a distance from `from` on the way to `to`, along a horizontal or vertical line. */
function towards(from: Point, to: Point, distance: number): Point {
  return { x: from.x + Math.sign(to.x - from.x) * distance, y: from.y + Math.sign(to.y - from.y) * distance };
}
