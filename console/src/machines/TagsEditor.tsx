import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import type { Tag } from "../aws/operations";

/** Source: Step Functions quotas. */
const TAGS_MAX = 50;

/** What is wrong with tags, if anything. */
export function tagsProblem(tags: readonly Tag[]): string | undefined {
  if (tags.some((tag) => tag.key === "")) return "A tag needs a key.";
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) return "Each key may come once.";
  return undefined;
}

export function TagsEditor({ tags, onChange }: { tags: readonly Tag[]; onChange: (tags: Tag[]) => void }) {
  const change = (index: number, part: Partial<Tag>) =>
    onChange(tags.map((tag, at) => (at === index ? { ...tag, ...part } : tag)));
  return (
    <AttributeEditor
      items={tags}
      addButtonText="Add tag"
      removeButtonText="Remove"
      removeButtonAriaLabel={(tag: Tag) => `Remove tag ${tag.key}`}
      disableAddButton={tags.length >= TAGS_MAX}
      empty="No tags"
      onAddButtonClick={() => onChange([...tags, { key: "", value: "" }])}
      onRemoveButtonClick={(event) => onChange(tags.filter((_, index) => index !== event.detail.itemIndex))}
      definition={[
        {
          label: "Key",
          control: (tag: Tag, index) => (
            <Input value={tag.key} onChange={(event) => change(index, { key: event.detail.value })} />
          ),
          errorText: (tag: Tag) => (tag.key === "" ? "A tag needs a key." : undefined),
        },
        {
          label: "Value",
          control: (tag: Tag, index) => (
            <Input value={tag.value} onChange={(event) => change(index, { value: event.detail.value })} />
          ),
        },
      ]}
    />
  );
}
