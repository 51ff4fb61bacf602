import { describe, expect, test } from "vitest";
import { definitionCases, samples } from "./cases.test-data";
import { type Definition, readDefinition } from "./definition";
import { addBranch, deleteState, duplicateState, insertOnEdge, moveState, renameState, setField } from "./edits";
import { insertItem, type Json, nodeAt, removeAt, setValue } from "./text";

function read(text: string): Definition {
  const definition = readDefinition(text);
  if (!definition) throw new Error(`no definition: ${text}`);
  return definition;
}

function edgeOf(definition: Definition, from: string | undefined, kind?: string) {
  const edge = definition.edges.find(
    (edge) =>
      (edge.from === undefined ? undefined : definition.states.get(edge.from)?.name) === from &&
      (!kind || edge.kind === kind),
  );
  if (!edge) throw new Error(`no edge from ${from}`);
  return edge;
}

/** Every edge by names, e.g. `A -next-> B`; the marks of a scope are `(start)` and `(end)`. */
function edges(text: string): string[] {
  const definition = read(text);
  const name = (id: string | undefined, mark: string) => (id === undefined ? mark : definition.states.get(id)?.name);
  return definition.edges.map((edge) => `${name(edge.from, "(start)")} -${edge.kind}-> ${name(edge.to, "(end)")}`);
}

const CHAIN = `{
  "StartAt": "A",
  "States": {
    "A": { "Type": "Pass", "Result": { "big": 12345678901234567890, "one": 1.0 }, "Next": "B" },
    "B": {
      "Type": "Wait",
      "Seconds": 1,
      "End": true
    }
  }
}
`;

/** What of `after` is not in `before`: the text between the longest common beginning and end. */
function changed(before: string, after: string): { from: string; to: string } {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from: before.slice(start, before.length - end), to: after.slice(start, after.length - end) };
}

describe("round trips", () => {
  const all = [...definitionCases(), ...samples()];

  test("there are cases", () => {
    expect(all.length).toBeGreaterThan(100);
  });

  test.each(all)("$name: one field touched, one text changed", ({ text }) => {
    const definition = readDefinition(text);
    for (const state of definition?.states.values() ?? []) {
      const old = nodeAt(text, [...state.path, "Comment"]);
      const edited = setField(read(text), state.id, ["Comment"], "touched").text;
      const { from, to } = changed(text, edited);
      expect(nodeAt(edited, [...state.path, "Comment"])?.value).toBe("touched");
      if (old) {
        expect(text.slice(old.offset, old.offset + old.length)).toContain(from);
      } else {
        expect(from).toBe("");
        expect(to).toMatch(/touched/);
        // Taken away again, the text is what it was.
        expect(setField(read(edited), state.id, ["Comment"], undefined).text).toBe(text);
      }
    }
  });

  test.each(all)("$name: renamed there and back", ({ name, text }) => {
    const definition = readDefinition(text);
    const state = [...(definition?.states.values() ?? [])][0];
    // No name is no name to go back to; of a key that comes twice only the first is renamed.
    if (!definition || !state?.name || name.includes("A key that comes twice")) return;
    const renamed = renameState(definition, state.id, "another name");
    expect(renamed.text).not.toBe(text);
    const back = renameState(read(renamed.text), renamed.selected ?? "", state.name);
    expect(JSON.parse(back.text)).toEqual(JSON.parse(text));
    expect(back.text.length).toBe(text.length);
  });
});

describe("text", () => {
  test("members and items take on the layout around them", () => {
    expect(setValue('{"a":1}', ["b"], { c: [1, 2] })).toBe('{"a":1,"b":{"c":[1,2]}}');
    expect(setValue('{ "a": 1 }', ["b"], { c: [1, 2] })).toBe('{ "a": 1, "b": {"c": [1, 2]} }');
    expect(setValue('{\n\t"a": 1\n}', ["b"], { c: 1 })).toBe('{\n\t"a": 1,\n\t"b": {\n\t\t"c": 1\n\t}\n}');
    expect(setValue('{\n  "a": {}\n}', ["a", "b"], 1)).toBe('{\n  "a": {\n    "b": 1\n  }\n}');
    expect(insertItem('{"a": [1, 3]}', ["a"], 1, 2)).toBe('{"a": [1, 2, 3]}');
    expect(insertItem('{"a": [1]}', ["a"], 0, 0)).toBe('{"a": [0, 1]}');
  });

  test("removal takes one comma", () => {
    expect(removeAt('{"a":1,"b":2,"c":3}', ["a"])).toBe('{"b":2,"c":3}');
    expect(removeAt('{"a":1,"b":2,"c":3}', ["c"])).toBe('{"a":1,"b":2}');
    expect(removeAt('{"a":1}', ["a"])).toBe("{}");
    expect(removeAt("[1,2,3]", [1])).toBe("[1,3]");
  });

  test("what leads nowhere changes nothing", () => {
    expect(setValue('{"a":1}', ["x", "y"], 1)).toBe('{"a":1}');
    expect(setValue("not JSON", ["x"], 1)).toBe("not JSON");
    expect(removeAt('{"a":1}', ["x"])).toBe('{"a":1}');
  });
});

describe("insertOnEdge", () => {
  test("between two states", () => {
    const definition = read(CHAIN);
    const { text, selected } = insertOnEdge(definition, edgeOf(definition, "A"), "Pass");
    expect(selected).toBe("/States/Pass");
    expect(edges(text)).toEqual(["(start) -start-> A", "A -next-> Pass", "Pass -next-> B", "B -end-> (end)"]);
    expect(text).toContain('"big": 12345678901234567890, "one": 1.0');
    expect(text).toContain('\n    "Pass": {\n      "Type": "Pass",\n      "Next": "B"\n    },\n    "B": {');
  });

  test("at the start and at the end", () => {
    const definition = read(CHAIN);
    expect(edges(insertOnEdge(definition, edgeOf(definition, undefined), "Wait").text)).toContain(
      "(start) -start-> Wait",
    );
    const { text } = insertOnEdge(definition, edgeOf(definition, "B"), "Succeed");
    expect(edges(text)).toContain("B -next-> Succeed");
    expect(text).not.toContain('"End"');
  });

  test("into an empty scope of a branch", () => {
    const definition = read(CHAIN);
    const parallel = read(insertOnEdge(definition, edgeOf(definition, "A"), "Parallel").text);
    const empty = parallel.edges.find((edge) => edge.scope === "/States/Parallel/Branches/1");
    if (!empty) throw new Error("the empty branch has no edge to drop on");
    const { text, selected } = insertOnEdge(parallel, empty, "Task");
    expect(selected).toBe("/States/Parallel/Branches/1/States/Task");
    expect(
      read(text)
        .edges.filter((edge) => edge.scope === empty.scope)
        .map((edge) => edge.kind),
    ).toEqual(["start", "end"]);
  });

  test("a Choice leads on by its default", () => {
    const definition = read(CHAIN);
    expect(edges(insertOnEdge(definition, edgeOf(definition, "A"), "Choice").text)).toEqual(
      expect.arrayContaining(["A -next-> Choice", "Choice -choice-> B", "Choice -default-> B"]),
    );
    expect(edges(insertOnEdge(definition, edgeOf(definition, "B"), "Choice").text)).toEqual(
      expect.arrayContaining(["B -next-> Choice", "Choice -choice-> Done", "Choice -default-> Done"]),
    );
  });

  test.each(samples())("$name: on every edge, and deleted again, leads as before", ({ text }) => {
    const definition = read(text);
    for (const edge of definition.edges) {
      const inserted = insertOnEdge(definition, edge, "Pass");
      expect(edges(inserted.text).length).toBe(definition.edges.length + 1);
      const deleted = deleteState(read(inserted.text), inserted.selected ?? "").text;
      if (edge.kind === "end" || edge.to !== undefined) expect(edges(deleted)).toEqual(edges(text));
    }
  });
});

describe("the rest", () => {
  test("moving into a branch and back out", () => {
    const definition = read(CHAIN);
    const parallel = read(insertOnEdge(definition, edgeOf(definition, "B"), "Parallel").text);
    const branch = parallel.edges.find((edge) => edge.scope === "/States/Parallel/Branches/0");
    if (!branch) throw new Error("no branch");
    const moved = moveState(parallel, "/States/A", branch);
    expect(moved.selected).toBe("/States/Parallel/Branches/0/States/A");
    expect(edges(moved.text)).toContain("(start) -start-> B");
  });

  test("a state cannot be moved into itself", () => {
    const definition = read(CHAIN);
    const parallel = read(insertOnEdge(definition, edgeOf(definition, "B"), "Parallel").text);
    const branch = parallel.edges.find((edge) => edge.scope === "/States/Parallel/Branches/0");
    if (!branch) throw new Error("no branch");
    expect(moveState(parallel, "/States/Parallel", branch).text).toBe(parallel.text);
  });

  test("duplicates get a name of their own", () => {
    const { text, selected } = duplicateState(read(CHAIN), "/States/A");
    expect(selected).toBe("/States/A (1)");
    expect(edges(text)).toEqual(expect.arrayContaining(["A -next-> A (1)", "A (1) -next-> B"]));
  });

  test("what is moved or duplicated keeps its spelling", () => {
    const written = '"Result": { "big": 12345678901234567890, "one": 1.0 }';
    expect(duplicateState(read(CHAIN), "/States/A").text.split(written).length).toBe(3);
    const definition = read(CHAIN);
    const moved = moveState(definition, "/States/A", edgeOf(definition, "B"));
    expect(moved.text).toContain(`"A": { "Type": "Pass", ${written}, "End": true }`);
    expect(edges(moved.text)).toEqual(["(start) -start-> B", "B -next-> A", "A -end-> (end)"]);
  });

  test("states within a duplicate get names of their own", () => {
    const definition = read(CHAIN);
    const parallel = read(insertOnEdge(definition, edgeOf(definition, "B"), "Parallel").text);
    const branch = parallel.edges.find((edge) => edge.scope === "/States/Parallel/Branches/0");
    if (!branch) throw new Error("no branch");
    const filled = read(insertOnEdge(parallel, branch, "Choice").text);
    const twice = duplicateState(filled, "/States/Parallel").text;
    const names = [...read(twice).states.values()].map((state) => state.name);
    expect(new Set(names).size).toBe(names.length);
    expect(edges(twice)).toEqual(
      expect.arrayContaining(["(start) -start-> Choice (1)", "Choice (1) -default-> Done (1)"]),
    );
  });

  test("names that are taken are not given", () => {
    expect(renameState(read(CHAIN), "/States/A", "B").text).toBe(CHAIN);
    expect(edges(renameState(read(CHAIN), "/States/B", "C").text)).toEqual([
      "(start) -start-> A",
      "A -next-> C",
      "C -end-> (end)",
    ]);
  });

  test("branches", () => {
    const definition = read(CHAIN);
    const parallel = read(insertOnEdge(definition, edgeOf(definition, "B"), "Parallel").text);
    const branches = JSON.parse(addBranch(parallel, "/States/Parallel").text).States.Parallel.Branches as Json[];
    expect(branches.length).toBe(3);
  });
});
