import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type Fields, ruleLabel, type State } from "../model/definition";
import { addToList } from "../model/edits";
import type { Problem } from "../model/problems";
import { type Json, type Path, removeAt } from "../model/text";
import {
  addCondition,
  COMPOSED,
  type Composed,
  compose,
  composedBy,
  decompose,
  innerConditions,
  OPERATORS,
  operatorOf,
  recompose,
  setOperator,
  typedOperand,
} from "./conditions";
import { useSetField, useTools } from "./context";
import { seenBy } from "./designData";
import { ExpressionField } from "./ExpressionField";
import { FieldInput } from "./FieldInput";
import { ruleFields } from "./fields";
import { itemsOf, ListTools } from "./Items";

/** The rules of a Choice, in their order, and where it leads without one that fits. */
export function Rules(props: {
  state: State;
  siblings: readonly string[];
  problemOf: (path: Path) => Problem | undefined;
}) {
  const { state, siblings, problemOf } = props;
  const { definition, edit } = useTools();
  const rules = itemsOf(state, "Choices");
  const other = siblings.find((name) => name !== state.name) ?? "";
  const fresh: Json =
    state.language === "JSONPath"
      ? { Variable: "$", IsPresent: true, Next: other }
      : { Condition: "{% true %}", Next: other };
  return (
    <ExpandableSection defaultExpanded headerText={`Rules (${rules.length})`} headingTagOverride="h3">
      <SpaceBetween size="s">
        {rules.map((rule, index) => (
          <ExpandableSection
            // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place in the list; it has no other name
            key={index}
            variant="inline"
            defaultExpanded={rules.length === 1}
            headerText={`${index + 1}. ${ruleLabel(rule)} → ${String(rule.Next ?? "")}`}
          >
            <SpaceBetween size="s">
              {state.language === "JSONPath" && (
                <Condition state={state} path={["Choices", index]} condition={rule} number={`${index + 1}`} />
              )}
              {ruleFields(state.language).map((field) => (
                <FieldInput
                  key={field.path.join(".")}
                  field={field}
                  state={state}
                  within={["Choices", index]}
                  siblings={siblings}
                  problem={problemOf(["Choices", index, ...field.path])}
                />
              ))}
              <ListTools state={state} list="Choices" index={index} length={rules.length} />
            </SpaceBetween>
          </ExpandableSection>
        ))}
        <Button
          iconName="add-plus"
          onClick={() => edit(`added a rule to ${state.name}`, addToList(definition, state.id, "Choices", fresh))}
        >
          Add rule
        </Button>
        <FieldInput
          field={{ path: ["Default"], label: "Otherwise", of: { kind: "sibling" } }}
          state={state}
          siblings={siblings}
          problem={problemOf(["Default"])}
        />
      </SpaceBetween>
    </ExpandableSection>
  );
}

const FORMS = [
  { value: "comparison", label: "A comparison" },
  { value: "And", label: "All of these hold (And)" },
  { value: "Or", label: "One of these holds (Or)" },
  { value: "Not", label: "This does not hold (Not)" },
];

/** A condition of JSONPath: a comparison, or others composed. */
function Condition(props: { state: State; path: Path; condition: Fields; number: string }) {
  const { state, path, condition, number } = props;
  const { definition, edit } = useTools();
  const composed = composedBy(condition);
  const whole = [...state.path, ...path];
  const change = (text: string) => edit(`changed a rule of ${state.name}`, { text, selected: state.id });
  const shape = (to: string) => {
    const { text } = definition;
    const by = COMPOSED.find((key) => key === to);
    if (!by) change(decompose(text, whole, condition));
    else if (composed === undefined) change(compose(text, whole, condition, by as Composed));
    else change(recompose(text, whole, condition, by));
  };
  const form = FORMS.find(({ value }) => value === (composed ?? "comparison")) ?? null;
  return (
    <fieldset className="condition">
      <legend>Condition {number}</legend>
      <Select
        ariaLabel={`Form of condition ${number}`}
        selectedOption={form}
        options={FORMS}
        onChange={({ detail }) => shape(detail.selectedOption.value ?? "comparison")}
      />
      {composed === undefined ? (
        <Comparison state={state} path={path} condition={condition} />
      ) : (
        <>
          {innerConditions(condition).map((inner, index) => (
            <div key={inner.path.join(".")} className="condition-inner">
              <Condition
                state={state}
                path={[...path, ...inner.path]}
                condition={inner.condition}
                number={`${number}.${index + 1}`}
              />
              {composed !== "Not" && innerConditions(condition).length > 1 && (
                <Button
                  variant="icon"
                  iconName="remove"
                  ariaLabel={`Remove condition ${number}.${index + 1}`}
                  onClick={() => change(removeAt(definition.text, [...whole, ...inner.path]))}
                />
              )}
            </div>
          ))}
          {composed !== "Not" && (
            <Button
              iconName="add-plus"
              ariaLabel={`Add to condition ${number}`}
              onClick={() => change(addCondition(definition.text, whole, condition))}
            >
              Add condition
            </Button>
          )}
        </>
      )}
    </fieldset>
  );
}

function Comparison({ state, path, condition }: { state: State; path: Path; condition: Fields }) {
  const { definition, data, edit } = useTools();
  const setField = useSetField(state);
  const operator = operatorOf(condition) ?? "";
  const operand = condition[operator];
  const seen = data && seenBy(data, state, "input");
  const isTruth = typeof operand === "boolean";
  return (
    <>
      <ExpressionField
        label="Variable"
        hint={undefined}
        text={String(condition.Variable ?? "")}
        syntax="path"
        language="JSONPath"
        data={seen}
        problem={undefined}
        onChange={(text) => setField([...path, "Variable"], text)}
      />
      <FormField label="Operator" stretch>
        <Select
          filteringType="auto"
          selectedOption={operator === "" ? null : { value: operator, label: operator }}
          options={OPERATORS.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => {
            const to = detail.selectedOption.value ?? operator;
            const text = setOperator(definition.text, [...state.path, ...path], condition, to);
            edit(`changed a rule of ${state.name}`, { text, selected: state.id });
          }}
        />
      </FormField>
      {operator.endsWith("Path") ? (
        <ExpressionField
          label="Operand"
          hint={undefined}
          text={String(operand ?? "")}
          syntax="path"
          language="JSONPath"
          data={seen}
          problem={undefined}
          onChange={(text) => setField([...path, operator], text)}
        />
      ) : (
        operator !== "" && (
          <FormField label="Operand" stretch>
            {isTruth ? (
              <Select
                selectedOption={{ value: String(operand), label: String(operand) }}
                options={["true", "false"].map((value) => ({ value, label: value }))}
                onChange={({ detail }) => setField([...path, operator], detail.selectedOption.value === "true")}
              />
            ) : (
              <Input
                value={String(operand ?? "")}
                onChange={({ detail }) => setField([...path, operator], typedOperand(operator, detail.value))}
              />
            )}
          </FormField>
        )
      )}
    </>
  );
}
