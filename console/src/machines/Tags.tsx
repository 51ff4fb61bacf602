import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Spinner from "@cloudscape-design/components/spinner";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { call } from "../aws/client";
import type { Tag } from "../aws/operations";
import { tagsQuery } from "../aws/queries";
import { TagsEditor, tagsProblem } from "./TagsEditor";

/** The tags of a state machine, to be changed together. */
export function Tags({ resourceArn }: { resourceArn: string }) {
  const kept = useQuery(tagsQuery(resourceArn));
  const [edited, setEdited] = useState<Tag[]>();
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: async (tags: Tag[]) => {
      const gone = (kept.data ?? []).filter((old) => !tags.some((tag) => tag.key === old.key)).map((tag) => tag.key);
      if (gone.length > 0) await call("UntagResource", { resourceArn, tagKeys: gone });
      if (tags.length > 0) await call("TagResource", { resourceArn, tags });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["tags", resourceArn] });
      setEdited(undefined);
      done("The tags are saved.");
    },
    onError: (error) => failed("The tags cannot be saved", error),
  });
  if (kept.error) return <Problem what="The tags cannot be listed" error={kept.error} />;
  if (!kept.data) return <Spinner />;
  const tags = edited ?? kept.data;
  const problem = tagsProblem(tags);
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Button disabled={!edited || !!problem} loading={save.isPending} onClick={() => save.mutate(tags)}>
              Save tags
            </Button>
          }
        >
          Tags
        </Header>
      }
    >
      <FormField errorText={edited && problem} stretch>
        <TagsEditor tags={tags} onChange={setEdited} />
      </FormField>
    </Container>
  );
}
