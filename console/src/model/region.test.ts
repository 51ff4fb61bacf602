import { describe, expect, test } from "vitest";
import { definitionCases, samples } from "./cases.test-data";
import { type Definition, readDefinition } from "./definition";
import {
  copyRegion,
  deleteRegion,
  extracted,
  insertCopied,
  moveRegion,
  type Region,
  regionOf,
  runInstead,
  unwrap,
  wrap,
  wrapWithCatch,
} from "./region";

function read(text: string): Definition {
  const definition = readDefinition(text);
  if (!definition) throw new Error(`no definition: ${text}`);
  return definition;
}

function region(definition: Definition, ...ids: string[]): Region {
  const found = regionOf(definition, ids);
  if ("problem" in found) throw new Error(found.problem);
  return found;
}

/** Every edge by names, in order of their letters. */
function edges(text: string): string[] {
  const definition = read(text);
  const name = (id: string | undefined, mark: string) => (id === undefined ? mark : definition.states.get(id)?.name);
  return definition.edges
    .map((edge) => `${name(edge.from, `(start${edge.scope})`)} -${edge.kind}-> ${name(edge.to, "(end)")}`)
    .sort();
}

const CHAIN = `{
  "StartAt": "A",
  "States": {
    "A": { "Type": "Pass", "Next": "B" },
    "B": {
      "Type": "Choice",
      "Choices": [{ "Variable": "$.x",   "IsNull": true, "Next": "C" }],
      "Default": "D"
    },
    "C": { "Type": "Pass", "Result": 1.0, "Next": "D" },
    "D": { "Type": "Pass", "Next": "E" },
    "E": { "Type": "Succeed" }
  }
}
`;

describe("regions", () => {
  const all = [...definitionCases(), ...samples()];

  test.each(all)("$name: each state wrapped and taken out again leads as before", ({ name, text }) => {
    const definition = readDefinition(text);
    // Of a key that comes twice only one is moved; a Succeed that leads on is a mistake that goes.
    if (!definition || /twice|Next behind a Succeed/.test(name)) return;
    for (const state of definition.states.values()) {
      const found = regionOf(definition, [state.id]);
      const leavesByRule = definition.edges.some(
        (edge) => edge.from === state.id && ["choice", "default", "catch"].includes(edge.kind) && edge.to !== state.id,
      );
      // A Succeed that is taken out goes on where something follows; nothing does here.
      if ("problem" in found || leavesByRule || state.name === "") continue;
      for (const type of ["Parallel", "Map"] as const) {
        const wrapped = wrap(definition, found, type);
        expect(read(wrapped.text).states.size).toBe(definition.states.size + 1);
        const back = unwrap(read(wrapped.text), wrapped.selected ?? "");
        expect(edges(back.text)).toEqual(edges(text));
      }
    }
  });

  test("several states are wrapped; rules that led on lead to an end", () => {
    const definition = read(CHAIN);
    const { text, selected } = wrap(definition, region(definition, "/States/B", "/States/C"), "Parallel");
    expect(selected).toBe("/States/Parallel");
    expect(edges(text)).toEqual(
      [
        "(start) -start-> A",
        "A -next-> Parallel",
        "Parallel -next-> D",
        "(start/States/Parallel/Branches/0) -start-> B",
        "B -choice-> C",
        "B -default-> Done",
        "C -end-> (end)",
        "D -next-> E",
      ].sort(),
    );
    // What is moved keeps its spelling.
    expect(text).toContain('[{ "Variable": "$.x",   "IsNull": true, "Next": "C" }]');
    expect(text).toContain('"C": { "Type": "Pass", "Result": 1.0, "End": true }');
  });

  test("several states become a state machine of their own, which a task runs", () => {
    const definition = read(CHAIN);
    const found = region(definition, "/States/B", "/States/C");
    expect(extracted(definition, found)).toBe(`{
  "StartAt": "B",
  "States": {
    "B": {
      "Type": "Choice",
      "Choices": [{ "Variable": "$.x",   "IsNull": true, "Next": "C" }],
      "Default": "Done"
    },
    "C": { "Type": "Pass", "Result": 1.0, "End": true },
    "Done": {
      "Type": "Succeed"
    }
  }
}`);
    const after = read(runInstead(definition, found, "arn:m").text);
    expect([...after.states.values()].map(({ name }) => name)).toEqual(["A", "m", "D", "E"]);
    expect(after.states.get("/States/m")?.fields).toEqual({
      Type: "Task",
      Resource: "arn:aws:states:::states:startExecution.sync:2",
      Parameters: { StateMachineArn: "arn:m", "Input.$": "$" },
      OutputPath: "$.Output",
      Next: "D",
    });
  });

  test.each(samples())("$name: what is extracted reads as a definition of its own", ({ text }) => {
    const definition = read(text);
    for (const state of definition.states.values()) {
      const found = regionOf(definition, [state.id]);
      if ("problem" in found) continue;
      const own = read(extracted(definition, found));
      expect(own.language).toBe(definition.language);
      expect([...own.states.values()].map(({ name }) => name)).toContain(state.name);
    }
  });

  test("what is entered or left at several places is no region", () => {
    const definition = read(CHAIN);
    expect(regionOf(definition, ["/States/C", "/States/E"])).toEqual({
      problem: "The selected states are entered at several places.",
    });
    expect(regionOf(definition, ["/States/B"])).toEqual({ problem: "The selected states lead to several places." });
    expect(regionOf(definition, [])).toEqual({ problem: "Nothing is selected." });
  });

  test("branches come out one after another", () => {
    const branch = (name: string) => ({ StartAt: name, States: { [name]: { Type: "Succeed" } } });
    const parallel = { Type: "Parallel", Branches: [branch("L"), branch("R")], Next: "Z" };
    const definition = read(JSON.stringify({ StartAt: "P", States: { P: parallel, Z: { Type: "Succeed" } } }));
    const { text, selected } = unwrap(definition, "/States/P");
    expect(edges(text)).toEqual(["(start) -start-> L", "L -next-> R", "R -next-> Z"]);
    expect(selected).toBe("/States/L");
    expect(Object.keys(JSON.parse(text).States)).toEqual(["L", "R", "Z"]);
  });

  test("a catcher leads to a state of its own", () => {
    const task = { Type: "Task", Resource: "arn:aws:states:::lambda:invoke", End: true };
    const definition = read(JSON.stringify({ StartAt: "T", States: { T: task } }));
    const once = wrapWithCatch(definition, "/States/T").text;
    const twice = wrapWithCatch(read(once), "/States/T").text;
    expect(edges(twice)).toEqual(
      ["(start) -start-> T", "T -catch-> T failed", "T -catch-> T failed (1)", "T -end-> (end)"].sort(),
    );
  });

  test("several states are copied onto an edge", () => {
    const definition = read(CHAIN);
    const copied = copyRegion(definition, region(definition, "/States/B", "/States/C"));
    const edge = definition.edges.find((edge) => edge.from === "/States/D");
    if (!edge) throw new Error("no edge");
    const { text, selected } = insertCopied(definition, edge, copied);
    expect(selected).toBe("/States/B (1)");
    expect(edges(text)).toEqual(
      expect.arrayContaining(["D -next-> B (1)", "B (1) -choice-> C (1)", "B (1) -default-> E", "C (1) -next-> E"]),
    );
    const elsewhere = read('{"StartAt": "Z", "States": {"Z": {"Type": "Pass", "End": true}}}');
    const end = elsewhere.edges.find((edge) => edge.kind === "end");
    if (!end) throw new Error("no edge");
    expect(edges(insertCopied(elsewhere, end, copied).text)).toEqual(
      expect.arrayContaining(["Z -next-> B", "B -choice-> C", "C -end-> (end)"]),
    );
  });

  test("several states are deleted and moved", () => {
    const definition = read(CHAIN);
    const two = region(definition, "/States/B", "/States/C");
    expect(edges(deleteRegion(definition, two).text)).toEqual(["(start) -start-> A", "A -next-> D", "D -next-> E"]);
    const edge = definition.edges.find((edge) => edge.from === "/States/D");
    if (!edge) throw new Error("no edge");
    expect(edges(moveRegion(definition, two, edge).text)).toEqual(
      ["(start) -start-> A", "A -next-> D", "D -next-> B", "B -choice-> C", "B -default-> E", "C -next-> E"].sort(),
    );
    const own = definition.edges.find((edge) => edge.from === "/States/A");
    expect(own && moveRegion(definition, two, own).text).toBe(CHAIN);
  });
});
