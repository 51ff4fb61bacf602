import { expect, test } from "vitest";
import { readDefinition } from "../model/definition";
import { completeCode } from "./completeCode";
import { designData } from "./designData";

const TEXT = `{
  "QueryLanguage": "JSONata",
  "StartAt": "A",
  "States": {
    "A": { "Type": "Pass", "Output": "{% $states.input. %}", "Next": "" },
    "B": {
      "Type": "Wait",
      "Se
    }
  }
}`;
/** As it was when it could be read. */
const READ = readDefinition(TEXT.replace('"Se\n', '"Seconds": 1, "End": true\n'));

/** What is offered behind a part of the text, and the word that it would replace. */
function offered(behind: string) {
  if (!READ) throw new Error("no definition");
  const caret = TEXT.indexOf(behind) + behind.length;
  const state = READ.states.get("/States/A");
  const test = { input: '{"order": 1}', variables: "{}", mock: "", mockError: "" };
  const machine = { arn: "arn:aws:states:us-east-1:123456789012:stateMachine:M", name: "M", roleArn: "r" };
  const data = state && designData(state, { test, run: undefined, machine });
  const found = completeCode(TEXT, caret, READ, data);
  return found && { word: TEXT.slice(found.from, caret), labels: found.options.map((option) => option.label) };
}

test("names of siblings where a state is named, types, fields, and real names in expressions", () => {
  expect(offered('"Next": "')).toEqual({ word: "", labels: ["A", "B"] });
  expect(offered('"StartAt": "')).toEqual({ word: "", labels: ["A", "B"] });
  expect(offered('"Type": "W')?.labels).toContain("Wait");
  expect(offered("$states.input.")).toEqual({ word: "", labels: ["order"] });
  expect(offered('"Comment')).toBeUndefined();
});
