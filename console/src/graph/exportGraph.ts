/** The graph as a picture: straight from the layout, with no part of the page in it. */
import { type Box, layOut, succeedEdge } from "../layout/layout";
import type { Definition } from "../model/definition";
import { TYPE_COLOURS, TYPE_ICONS } from "./icons";
import { headPath, linePath } from "./path";
import { subtitle } from "./subtitle";

const MARGIN = 20;
/** Pixels of the PNG for each unit of the graph. */
const SCALE = 2;
/** Longest side of the PNG, in pixels: browsers draw no more. */
const PIXELS_MAX = 8_000;
const FONT = "Open Sans, DejaVu Sans, Arial, sans-serif";

/** Colours of the light look. */
const INK = {
  "--task": "#0b6fd6",
  "--choice": "#7d2be2",
  "--flow": "#037f8c",
  "--pass": "#5f6b7a",
  "--wait": "#8a5a00",
  "--ok": "#00802f",
  "--bad": "#c70000",
} as Record<string, string>;

export interface Picture {
  text: string;
  width: number;
  height: number;
}

export function graphSvg(definition: Definition): Picture {
  const placed = layOut(definition);
  const parts: string[] = [];
  const scopes = [...definition.scopes.values()].toSorted((a, b) => a.path.length - b.path.length);
  for (const scope of scopes) {
    const frame = placed.scopes.get(scope.id);
    if (frame) parts.push(`<rect ${at(frame)} rx="8" fill="#fff" stroke="#b6bec9" stroke-dasharray="4 3"/>`);
    for (const mark of [placed.starts.get(scope.id), placed.ends.get(scope.id)]) {
      if (mark) parts.push(`<rect ${at(mark)} rx="${mark.height / 2}" fill="#f6f8fa" stroke="#5f6b7a"/>`);
    }
    for (const id of scope.states) {
      const [state, box] = [definition.states.get(id), placed.states.get(id)];
      if (!state || !box) continue;
      const colour = INK[TYPE_COLOURS[state.type] ?? ""] ?? "#424650";
      const isBox = state.scopes.length > 0;
      parts.push(
        `<rect ${at(box)} rx="8" fill="${isBox ? "#f2f9fa" : "#fff"}" stroke="${isBox ? colour : "#5f6b7a"}"/>`,
      );
      const icon = `<path transform="translate(${box.x + 10} ${box.y + (isBox ? 8 : 16)})" d="${TYPE_ICONS[state.type] ?? ""}"`;
      parts.push(
        `${icon} fill="none" stroke="${colour}" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,
      );
      const room = Math.floor((box.width - 50) / 7);
      parts.push(words(box.x + 38, box.y + 21, short(state.name, room), 13, "#0f141a", "700"));
      if (!isBox) parts.push(words(box.x + 38, box.y + 37, short(subtitle(state), room), 11, "#424650"));
    }
  }
  const edges = definition.edges.map(({ id, kind, label }) => ({ id, kind: kind as string, label }));
  for (const state of definition.states.values()) {
    if (state.type === "Succeed") edges.push({ id: succeedEdge(state.id), kind: "end", label: "" });
  }
  for (const { id, kind, label } of edges) {
    const edge = placed.edges.get(id);
    if (!edge) continue;
    const colour = kind === "catch" ? "#c70000" : kind === "default" ? "#7d2be2" : "#5f6b7a";
    const dashes = kind === "catch" ? ' stroke-dasharray="5 3"' : kind === "default" ? ' stroke-dasharray="2 3"' : "";
    parts.push(`<path d="${linePath(edge.points)}" fill="none" stroke="${colour}" stroke-width="1.3"${dashes}/>`);
    parts.push(`<path d="${headPath(edge.points)}" fill="${colour}"/>`);
    if (label === "") continue;
    const text = short(label, 20);
    const width = text.length * 6 + 12;
    const { x, y } = edge.middle;
    parts.push(
      `<rect x="${x - width / 2}" y="${y - 8}" width="${width}" height="16" rx="8" fill="#fff" stroke="${colour}"/>`,
    );
    parts.push(words(x, y + 4, text, 10, "#0f141a", "400", "middle"));
  }
  const [width, height] = [placed.width + 2 * MARGIN, placed.height + 2 * MARGIN];
  const view = `viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" width="${width}" height="${height}"`;
  const background = `<rect x="${-MARGIN}" y="${-MARGIN}" width="${width}" height="${height}" fill="#fff"/>`;
  return {
    text: `<svg xmlns="http://www.w3.org/2000/svg" ${view} font-family="${FONT}">${background}${parts.join("")}</svg>`,
    width,
    height,
  };
}

export async function svgToPng({ text, width, height }: Picture): Promise<Blob> {
  const scale = Math.min(SCALE, PIXELS_MAX / Math.max(width, height));
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!png) throw new Error("The picture is too large for this browser.");
    return png;
  } finally {
    URL.revokeObjectURL(address);
  }
}

function at({ x, y, width, height }: Box): string {
  return `x="${x}" y="${y}" width="${width}" height="${height}"`;
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

function words(
  x: number,
  y: number,
  text: string,
  size: number,
  colour: string,
  weight = "400",
  anchor = "start",
): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}" text-anchor="${anchor}">${escaped}</text>`;
}
