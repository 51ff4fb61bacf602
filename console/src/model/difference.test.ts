import { expect, test } from "vitest";
import { type Definition, readDefinition } from "./definition";
import { differenceOf } from "./difference";

function read(states: object): Definition {
  return readDefinition(JSON.stringify({ StartAt: "A", States: states })) as Definition;
}

test("states that were added, removed and changed, at any depth", () => {
  const inner = (seconds: number) => [{ StartAt: "W", States: { W: { Type: "Wait", Seconds: seconds, End: true } } }];
  const before = read({
    A: { Type: "Pass", Result: { x: 1, y: [1] }, Next: "P" },
    P: { Type: "Parallel", Branches: inner(1), Next: "Z" },
    Z: { Type: "Succeed" },
  });
  const after = read({
    // The order of members means nothing.
    A: { Next: "P", Type: "Pass", Result: { y: [1], x: 1 } },
    P: { Type: "Parallel", Branches: inner(2), Next: "N" },
    N: { Type: "Fail" },
  });
  const { added, removed, changed } = differenceOf(before, after);
  expect(added.map((state) => state.name)).toEqual(["N"]);
  expect(removed.map((state) => state.name)).toEqual(["Z"]);
  expect(changed.map(({ state, fields }) => [state.name, fields])).toEqual([
    ["P", ["Next"]],
    ["W", ["Seconds"]],
  ]);
  expect(differenceOf(before, before)).toEqual({ added: [], removed: [], changed: [] });
});
