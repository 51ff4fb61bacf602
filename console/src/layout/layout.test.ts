import { describe, expect, test } from "vitest";
import { definitionCases, samples } from "../model/cases.test-data";
import { type Definition, readDefinition } from "../model/definition";
import { type Box, LayoutMemory, layOut, type Placed } from "./layout";

function read(text: string): Definition {
  const definition = readDefinition(text);
  if (!definition) throw new Error("no definition");
  return definition;
}

/** A chain of Choices, each with a way out, and a Parallel now and then. */
function synthetic(states: number): string {
  const all: Record<string, unknown> = {};
  for (let n = 0; n < states; n++) {
    const next = `S${n + 1}`;
    if (n % 10 === 4) {
      const branch = (name: string) => ({ StartAt: name, States: { [name]: { Type: "Pass", End: true } } });
      all[`S${n}`] = {
        Type: "Parallel",
        Branches: [branch(`L${n}`), branch(`R${n}`)],
        Catch: [{ ErrorEquals: ["States.ALL"], Next: `S${Math.min(states, n + 9)}` }],
        Next: next,
      };
    } else if (n % 3 === 0) {
      const rules = [
        { Variable: "$.a", NumericEquals: 1, Next: `S${Math.max(0, n - 5)}` },
        { Variable: "$.b", IsPresent: true, Next: `S${Math.min(states, n + 4)}` },
      ];
      all[`S${n}`] = { Type: "Choice", Choices: rules, Default: next };
    } else {
      all[`S${n}`] = { Type: "Pass", Next: next };
    }
  }
  all[`S${states}`] = { Type: "Succeed" };
  return JSON.stringify({ StartAt: "S0", States: all });
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function within(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function check(definition: Definition, placed: Placed) {
  expect(placed.states.size).toBe(definition.states.size);
  for (const scope of definition.scopes.values()) {
    const boxes = scope.states.map((id) => placed.states.get(id)).filter((box) => box !== undefined);
    const marks = [placed.starts.get(scope.id), placed.ends.get(scope.id)].filter((box) => box !== undefined);
    const all = [...boxes, ...marks];
    const overlaps = all.flatMap((a, i) => all.slice(i + 1).filter((b) => overlap(a, b)));
    expect(overlaps).toEqual([]);
    const frame = placed.scopes.get(scope.id);
    if (frame) for (const box of boxes) expect(within(box, frame)).toBe(true);
    const owner = scope.owner && placed.states.get(scope.owner);
    if (frame && owner) expect(within(frame, owner)).toBe(true);
  }
  for (const edge of definition.edges) {
    const drawn = placed.edges.get(edge.id);
    const points = drawn?.points ?? [];
    expect(points.length).toBeGreaterThan(1);
    for (const [i, point] of points.entries()) {
      const next = points[i + 1];
      if (next) expect(point.x === next.x || point.y === next.y, `${edge.id} runs aslant`).toBe(true);
    }
  }
}

describe("layout", () => {
  test.each([...samples(), ...definitionCases().slice(0, 60)])(
    "$name: nothing overlaps, edges have right angles",
    ({ text }) => {
      const definition = readDefinition(text);
      if (definition) check(definition, layOut(definition));
    },
  );

  test.each([30, 200, 1000])("%i states", (states) => {
    const definition = read(synthetic(states));
    check(definition, layOut(definition));
  });

  test("a straight chain is straight", () => {
    const placed = layOut(
      read('{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","End":true}}}'),
    );
    for (const edge of placed.edges.values()) expect(new Set(edge.points.map((point) => point.x)).size).toBe(1);
  });

  test("what was laid out is remembered by its shape alone", () => {
    const memory = new LayoutMemory();
    const text = synthetic(20);
    const first = layOut(read(text), memory);
    const again = layOut(read(text.replace('"NumericEquals":1', '"NumericEquals":2')), memory);
    expect(again.states).toEqual(first.states);
  });
});
