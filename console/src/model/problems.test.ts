import { expect, test } from "vitest";
import { type Definition, readDefinition } from "./definition";
import { placeProblems, textProblems } from "./problems";

const TEXT = JSON.stringify({
  StartAt: "A/B",
  States: {
    "A/B": { Type: "Choice", Choices: [{ Next: "X" }], Default: "P" },
    A: { Type: "Pass" },
    P: { Type: "Parallel", Branches: [{ StartAt: "I", States: { I: { Type: "Wait", Seconds: "x" } } }], End: true },
  },
});

function place(location: string | undefined) {
  const definition = readDefinition(TEXT) as Definition;
  const [problem] = placeProblems(definition, [
    { severity: "ERROR", code: "C", message: "m", ...(location === undefined ? {} : { location }) },
  ]);
  return [problem?.state, problem?.field, TEXT.slice(problem?.from, problem?.to)];
}

test("locations lead to states, fields and places in the text", () => {
  expect(place("/States/A/B/Choices[0]/Next")).toEqual(["/States/A~1B", "Choices", '"Next":"X"']);
  expect(place("/States/A")).toEqual(["/States/A", undefined, '"A"']);
  expect(place("/States/P/Branches[0]/States/I/Seconds")).toEqual([
    "/States/P/Branches/0/States/I",
    "Seconds",
    '"Seconds":"x"',
  ]);
  // A member that is missing leads to what it is missing in.
  expect(place("/States/A/Next")).toEqual(["/States/A", undefined, '"A"']);
  expect(place(undefined)).toEqual([undefined, undefined, "{"]);
});

test("what is no JSON is told with its place", () => {
  expect(textProblems('{"a":}')).toMatchObject([{ from: 5, message: "This is not JSON: ValueExpected" }]);
  expect(textProblems("{}")).toEqual([]);
});
