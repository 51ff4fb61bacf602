import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { definitionCases, samples } from "./cases.test-data";
import { readDefinition } from "./definition";
import { deleteState, insertOnEdge, renameState, setField } from "./edits";
import { placeProblems } from "./problems";
import { regionOf, unwrap, wrap } from "./region";
import {
  insertItem,
  jsonAt,
  learnYaml,
  nodeAt,
  removeAt,
  replaceMember,
  setDeep,
  setValue,
  toJson,
  Written,
} from "./text";
import { YAML } from "./yamlText";

beforeAll(() => learnYaml(YAML));

const TEXT = `# The order of things
Comment: 'kept:  as it is'   # behind
StartAt: First
States:
  # What comes first
  First:
    Type: Pass
    Result: 12345678901234567890
    Next: Second   # and on

  "Second":
    Type: Choice
    Choices:
      - Variable: $.x      # tested
        NumericEquals: 1.0
        Next: Third
      # the other rule
      - { Variable: $.y, IsNull: true, Next: Third }
    Default: Third
  Third:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: f, Payload.$: $}
    Comment: |
      Several
        lines
    End: true
`;

/** The lines of the one text that are not in the other, in their order. */
function lines(before: string, after: string): { gone: string[]; come: string[] } {
  const [from, to] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < from.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < Math.min(from.length, to.length) - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  return { gone: from.slice(start, from.length - end), come: to.slice(start, to.length - end) };
}

const changed = (edit: (text: string) => string, text = TEXT) => lines(text, edit(text));

describe("YAML", () => {
  test("is read as the same tree as JSON", () => {
    const definition = readDefinition(TEXT);
    expect([...(definition?.states.values() ?? [])].map(({ name, type }) => `${type} ${name}`)).toEqual([
      "Pass First",
      "Choice Second",
      "Task Third",
    ]);
    expect(definition?.edges.length).toBe(6);
    expect(nodeAt(TEXT, ["States", "Third", "Comment"])?.value).toBe("Several\n  lines\n");
    expect(JSON.parse(toJson(TEXT) ?? "")).toEqual(parse(TEXT));
    expect(toJson(TEXT)).toContain("12345678901234567890");
    expect(toJson(TEXT)).toContain('"NumericEquals": 1.0');
  });

  test("a value changes on its line, with the comment behind it", () => {
    expect(changed((text) => setValue(text, ["States", "First", "Next"], "Third"))).toEqual({
      gone: ["    Next: Second   # and on"],
      come: ["    Next: Third   # and on"],
    });
    expect(
      changed((text) => setValue(text, ["States", "Second", "Choices", 0, "NumericEquals"], new Written("2.50"))),
    ).toEqual({
      gone: ["        NumericEquals: 1.0"],
      come: ["        NumericEquals: 2.50"],
    });
    expect(changed((text) => setValue(text, ["States", "Second", "Choices", 1, "IsNull"], false)).come).toEqual([
      "      - { Variable: $.y, IsNull: false, Next: Third }",
    ]);
  });

  test("members and items come on lines of their own", () => {
    expect(changed((text) => setValue(text, ["States", "First", "Comment"], "it: is", "Type"))).toEqual({
      gone: [],
      come: ['    Comment: "it: is"'],
    });
    expect(changed((text) => setDeep(text, ["States", "First", "Credentials", "RoleArn"], "arn:a:b")).come).toEqual([
      "    Credentials:",
      "      RoleArn: arn:a:b",
    ]);
    expect(
      changed((text) => setValue(text, ["States", "Third", "Retry"], [{ ErrorEquals: ["States.ALL"], MaxAttempts: 1 }]))
        .come,
    ).toEqual(["    Retry:", "      - ErrorEquals:", "          - States.ALL", "        MaxAttempts: 1"]);
    expect(
      changed((text) => insertItem(text, ["States", "Second", "Choices"], 0, { Variable: "$", IsPresent: true })).come,
    ).toEqual(["      - Variable: $", "        IsPresent: true"]);
    expect(changed((text) => setValue(text, ["States", "Third", "Parameters", "a"], [1])).come).toEqual([
      "    Parameters: {FunctionName: f, Payload.$: $, a: [1]}",
    ]);
    expect(changed((text) => setValue(text, ["States", "First", "Comment"], "two\nlines")).come).toEqual([
      "    Comment: |-",
      "      two",
      "      lines",
    ]);
  });

  test("what is taken away goes with its line alone", () => {
    expect(changed((text) => removeAt(text, ["States", "First", "Result"]))).toEqual({
      gone: ["    Result: 12345678901234567890"],
      come: [],
    });
    expect(changed((text) => removeAt(text, ["States", "Third", "Comment"])).gone).toEqual([
      "    Comment: |",
      "      Several",
      "        lines",
    ]);
    const rules = changed((text) => removeAt(text, ["States", "Second", "Choices", 0]));
    expect(rules.come).toEqual([]);
    expect(changed((text) => removeAt(text, ["States", "Second", "Choices", 0, "Variable"])).come).toEqual([
      "      - NumericEquals: 1.0",
    ]);
    expect(changed((text) => removeAt(text, ["States", "Third", "Parameters", "FunctionName"])).come).toEqual([
      "    Parameters: {Payload.$: $}",
    ]);
    expect(removeAt("a:\n  b: 1\nc: 2\n", ["a", "b"])).toBe("a: {}\nc: 2\n");
    expect(setValue("a: {}\nc: 2\n", ["a", "b"], 1)).toBe("a:\n  b: 1\nc: 2\n");
    expect(insertItem("a: []\n", ["a"], 0, { b: 1 })).toBe("a:\n  - b: 1\n");
  });

  test("a value that changes in part keeps the comments within", () => {
    const rule = '{"Variable": "$.x", "NumericEquals": 7, "Next": "Third"}';
    expect(changed((text) => setValue(text, ["States", "Second", "Choices", 0], new Written(rule)))).toEqual({
      gone: ["        NumericEquals: 1.0"],
      come: ["        NumericEquals: 7"],
    });
  });

  test("a member is renamed in its place", () => {
    expect(changed((text) => replaceMember(text, ["States", "Third", "End"], "Next", "First"))).toEqual({
      gone: ["    End: true"],
      come: ["    Next: First"],
    });
    const renamed = readDefinition(TEXT);
    expect(renamed && changed(() => renameState(renamed, "/States/First", "a: b").text).come).toContain('  "a: b":');
  });

  test("states are added, wrapped and deleted", () => {
    const definition = readDefinition(TEXT);
    const edge = definition?.edges.find((edge) => edge.from === "/States/First");
    if (!definition || !edge) throw new Error("no definition");
    const added = insertOnEdge(definition, edge, "Wait");
    expect(lines(TEXT, added.text).come).toContain("      Type: Wait".slice(2));
    expect(added.text).toContain("Next: Wait   # and on");
    const region = regionOf(definition, ["/States/First"]);
    if ("problem" in region) throw new Error(region.problem);
    const wrapped = wrap(definition, region, "Parallel");
    const read = readDefinition(wrapped.text);
    expect(read?.states.size).toBe(4);
    expect(wrapped.text).toContain("            Result: 12345678901234567890");
    const back = read && readDefinition(unwrap(read, "/States/Parallel").text);
    expect(back?.edges.length).toBe(definition.edges.length);
    const deleted = readDefinition(deleteState(definition, "/States/Second").text);
    expect(deleted?.states.size).toBe(2);
  });

  test("problems have their places; what is no YAML is told", () => {
    const definition = readDefinition(TEXT);
    if (!definition) throw new Error("no definition");
    const [problem] = placeProblems(definition, [
      { severity: "ERROR", code: "", message: "wrong", location: "/States/Second/Choices[0]/Next" },
    ]);
    expect(problem && TEXT.slice(problem.from, problem.to)).toBe("Next: Third");
    expect(YAML.errorsOf("a: [1\nb: 2")[0]?.message).toContain("This is not YAML");
    expect(YAML.errorsOf("just words").length).toBe(1);
    expect(readDefinition("a: &x [1]\nb: *x\n")?.fields).toEqual({ a: [1], b: [1] });
  });

  const all = [...definitionCases(), ...samples()];

  test.each(all)(
    "$name: written as YAML it is the same; one field touched, its lines alone change",
    ({ name, text }) => {
      // A key that comes twice is no YAML.
      if (/twice/.test(name) || !readDefinition(text)) return;
      const yaml = YAML.fromJson(text);
      expect(JSON.parse(YAML.toJson(yaml) ?? "null")).toEqual(JSON.parse(text));
      const definition = readDefinition(yaml);
      for (const state of definition?.states.values() ?? []) {
        if (!definition || Object.keys(state.fields).length === 0) continue;
        const path = [...state.path, "Comment"];
        const touched = setField(definition, state.id, ["Comment"], "touched").text;
        expect(jsonAt(touched, path)).toBe('"touched"');
        const { gone, come } = lines(yaml, touched);
        expect(come).toHaveLength(1);
        expect(come[0]).toMatch(/Comment: touched$/);
        if (nodeAt(yaml, path)) continue;
        expect(gone).toEqual([]);
        const read = readDefinition(touched);
        expect(read && setField(read, state.id, ["Comment"], undefined).text).toBe(yaml);
      }
    },
  );
});
