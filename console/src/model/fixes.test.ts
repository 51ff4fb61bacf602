import { describe, expect, test } from "vitest";
import { type Definition, readDefinition } from "./definition";
import { fixesOf } from "./fixes";
import { adviceOn, placeProblems } from "./problems";

function read(definition: unknown): Definition {
  const made = readDefinition(JSON.stringify(definition));
  if (!made) throw new Error("no definition");
  return made;
}

/** What each fix makes of a definition, by its label. */
function fixed(states: object, message: string, location: string, top: object = { StartAt: "A" }) {
  const definition = read({ ...top, States: states });
  const [problem] = placeProblems(definition, [{ severity: "ERROR", code: "", message, location }]);
  if (!problem) throw new Error("no problem");
  return Object.fromEntries(
    fixesOf(definition, problem).map((fix) => [fix.label, JSON.parse(fix.edit(definition).text)]),
  );
}

const END = { Type: "Pass", End: true };
const ONE_OF = "This object should have only one of the following fields: [Next, End]";

describe("fixes", () => {
  test("StartAt is missing, or names nothing", () => {
    const missing = fixed({ A: END }, "These fields are required: [StartAt]", "/", {});
    expect(missing["Start at A"]).toEqual({ States: { A: END }, StartAt: "A" });
    const wrong = fixed({ Ask: END }, "Missing 'Next' target: Asks", "/StartAt", { StartAt: "Asks" });
    expect(wrong["Change it to Ask"].StartAt).toBe("Ask");
    expect(wrong["Add a state Asks"].States.Asks).toEqual(END);
    expect(wrong["End here"]).toBeUndefined();
  });

  test("a state leads nowhere, or to two places", () => {
    const nowhere = fixed({ A: { Type: "Pass" }, B: END }, ONE_OF, "/States/A");
    expect(nowhere["End here"].States.A).toEqual(END);
    expect(nowhere["Go on to B"].States.A).toEqual({ Type: "Pass", Next: "B" });
    const message = "There should only be one of the following fields: [Next, End]";
    const both = fixed({ A: { ...END, Next: "B" }, B: END }, message, "/States/A");
    expect(both["Keep Next alone"].States.A).toEqual({ Type: "Pass", Next: "B" });
    expect(both["Keep End alone"].States.A).toEqual(END);
  });

  test("a target is unknown", () => {
    const fixes = fixed({ A: { Type: "Pass", Next: "Bee" }, Be: END }, "Missing 'Next' target: Bee", "/States/A/Next");
    expect(fixes["Change it to Be"].States.A.Next).toBe("Be");
    expect(Object.keys(fixes["Add a state Bee"].States)).toEqual(["A", "Bee", "Be"]);
    expect(fixes["End here"].States.A).toEqual(END);
  });

  test("a state is not reachable", () => {
    const fixes = fixed({ A: END, B: END }, 'State "B" is not reachable.', "/States/B");
    expect(fixes["Delete B"].States).toEqual({ A: END });
    expect(fixes["Go on to it from A"].States.A).toEqual({ Type: "Pass", Next: "B" });
  });

  test("nothing ends", () => {
    const fixes = fixed({ A: { Type: "Pass", Next: "A" } }, "Workflow has no terminal state", "");
    expect(fixes["End after A"].States.A).toEqual(END);
  });

  test("fields that do not belong there", () => {
    const unknown = fixed({ A: { ...END, Foo: 1 } }, "Field 'Foo' is not supported", "/States/A");
    expect(unknown["Remove Foo"].States.A).toEqual(END);
    const message =
      "The QueryLanguage is set to 'JSONPath', but field 'Arguments' is only supported for the 'JSONata' QueryLanguage";
    const foreign = fixed({ A: { ...END, Arguments: {} } }, message, "/States/A");
    expect(foreign["Rename it to Parameters"].States.A).toEqual({ ...END, Parameters: {} });
    expect(foreign["Remove Arguments"].States.A).toEqual(END);
    expect(foreign["Write A in JSONata"].States.A.QueryLanguage).toBe("JSONata");
  });

  test("what a state needs", () => {
    const type = "The field 'Type' should have one of these values: [Task, Wait, Pass]";
    expect(fixed({ A: { Type: "Tsk" } }, type, "/States/A/Type")["Make it a Task state"].States.A.Type).toBe("Task");
    const states = fixed({}, "Value cannot be empty", "/States", { StartAt: "" });
    expect(states["Add a Pass state"]).toEqual({ StartAt: "Pass", States: { Pass: END } });
    const map = fixed({ A: { Type: "Map", End: true } }, "These fields are required: [ItemProcessor]", "/States/A");
    expect(map["Add ItemProcessor"].States.A.ItemProcessor.States).toEqual({});
    const wait =
      "This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]";
    expect(fixed({ A: { Type: "Wait" } }, wait, "/States/A")["Wait for 5 seconds"].States.A.Seconds).toBe(5);
  });

  test("all errors come last and alone", () => {
    const message = "States.ALL must appear alone and at end of list";
    const Retry = [{ ErrorEquals: ["States.ALL"], MaxAttempts: 1 }, { ErrorEquals: ["X"] }];
    const fixes = fixed({ A: { ...END, Retry } }, message, "/States/A/Retry[0]/ErrorEquals[0]");
    expect(fixes["Move it to the end"].States.A.Retry).toEqual([Retry[1], Retry[0]]);
    const mixed = [{ ErrorEquals: ["States.ALL", "X"] }];
    const alone = fixed({ A: { ...END, Retry: mixed } }, message, "/States/A/Retry[0]/ErrorEquals[0]");
    expect(alone["Name States.ALL alone"].States.A.Retry[0].ErrorEquals).toEqual(["States.ALL"]);
  });

  test("names, paths and types of values", () => {
    const inner = { StartAt: "A", States: { A: END } };
    const twice = fixed(
      { A: { Type: "Parallel", Branches: [inner], End: true } },
      "Duplicate State name: A",
      "/States/A/Branches[0]/States/A",
    );
    const renamed = twice["Rename it to A (1)"].States.A.Branches[0];
    expect(renamed).toEqual({ StartAt: "A (1)", States: { "A (1)": END } });
    const parameters = { x: "$.a", "y.$": "a" };
    const noDollar = fixed(
      { A: { ...END, Parameters: parameters } },
      "No .$ on a field that",
      "/States/A/Parameters/x",
    );
    expect(noDollar["Name it “x.$”"].States.A.Parameters).toEqual({ "x.$": "$.a", "y.$": "a" });
    const noPath = "The value for the field 'y.$' must be a valid JSONPath or a valid intrinsic function call";
    const plain = fixed({ A: { ...END, Parameters: parameters } }, noPath, "/States/A/Parameters");
    expect(plain["Take it as it is: “y”"].States.A.Parameters).toEqual({ x: "$.a", y: "a" });
    const number = fixed({ A: { ...END, Seconds: "5" } }, "Expected value of type [INTEGER]", "/States/A/Seconds");
    expect(number["Make it 5"].States.A.Seconds).toBe(5);
    const dollar = fixed(
      { A: { ...END, Output: "{% $.a + $x %}" } },
      "Reference to '$' at the top level is not supported.",
      "/States/A/Output",
    );
    expect(dollar["Read the state's input"].States.A.Output).toBe("{% $states.input.a + $x %}");
  });

  test("a Choice without Default is advised about", () => {
    const Choices = [{ Variable: "$.a", IsNull: true, Next: "B" }];
    const definition = read({ StartAt: "A", States: { A: { Type: "Choice", Choices }, B: END } });
    const [advice] = adviceOn(definition);
    expect(advice).toMatchObject({ severity: "WARNING", state: "/States/A", field: "Default" });
    const fixes = advice ? fixesOf(definition, advice) : [];
    expect(fixes.map((fix) => fix.label)).toEqual(["Fail in a state of its own", "Go on to B"]);
    const made = JSON.parse(fixes[0]?.edit(definition).text ?? "");
    expect(made.States.A.Default).toBe("No rule fits");
    expect(made.States["No rule fits"].Type).toBe("Fail");
    expect(adviceOn(read(made))).toEqual([]);
  });

  test("a field that is named in the sentence is the problem's field", () => {
    const definition = read({ StartAt: "A", States: { A: { ...END, Foo: 1 } } });
    const message = "Field 'Foo' is not supported";
    expect(placeProblems(definition, [{ severity: "ERROR", code: "", message, location: "/States/A" }])[0]?.field).toBe(
      "Foo",
    );
  });
});
