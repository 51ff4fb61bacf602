import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FileUpload from "@cloudscape-design/components/file-upload";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { Crumbs, MACHINES } from "../app/Crumbs";
import { editorHref, go } from "../app/Link";
import { call, messageOf } from "../aws/client";
import type { MachineType, Tag } from "../aws/operations";
import { Code } from "../code/Code";
import { keepSource } from "../editor/drafts";
import { useNotation } from "../editor/yaml";
import { readDefinition } from "../model/definition";
import { notationOf, toJson } from "../model/text";
import { BLANK, SAMPLES } from "./samples";
import { TagsEditor, tagsProblem } from "./TagsEditor";

const GraphView = lazy(() => import("../graph/GraphView"));

const ROLE = "arn:aws:iam::123456789012:role/any";
/** Source: API model. */
const DEFINITION_BYTES_MAX = 1024 * 1024;
const FROM_FILE = "file";
const FROM_BLANK = "blank";

/** Blank, a sample or a file, then the text as it should be, which can also be pasted. */
export function CreatePage() {
  const [source, setSource] = useState(FROM_BLANK);
  const [text, setText] = useState(BLANK);
  const [name, setName] = useState("");
  const [type, setType] = useState<MachineType>("STANDARD");
  const [role, setRole] = useState(ROLE);
  const [tags, setTags] = useState<Tag[]>([]);
  const [files, setFiles] = useState<File[]>([]);
  const [fileProblem, setFileProblem] = useState("");
  const isReadable = useNotation(notationOf(text));
  const definition = useMemo(() => (isReadable ? readDefinition(text) : undefined), [text, isReadable]);
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: async () => {
      // The server has JSON alone; the YAML behind it stays in this browser.
      const saved = { definition: toJson(text) ?? text, text };
      const created = await call("CreateStateMachine", {
        definition: saved.definition,
        name,
        roleArn: role,
        type,
        tags,
      });
      keepSource(created.stateMachineArn, saved);
      return created;
    },
    onSuccess: ({ stateMachineArn }) => {
      queries.invalidateQueries({ queryKey: ["machines"] });
      go(editorHref(stateMachineArn));
    },
  });

  const choose = (value: string) => {
    setSource(value);
    if (value === FROM_BLANK) setText(BLANK);
    const sample = SAMPLES.find((sample) => sample.name === value);
    if (!sample) return;
    setText(sample.definition);
    setName((name) => name || sample.name);
  };

  const open = async (chosen: File[]) => {
    setFiles(chosen);
    setFileProblem("");
    const file = chosen[0];
    if (!file) return;
    if (file.size > DEFINITION_BYTES_MAX) {
      setFileProblem("A definition has at most 1 MiB.");
      return;
    }
    setText(await file.text());
    setName((name) => name || file.name.replace(/(\.asl)?\.(json|ya?ml|asl)$/, ""));
  };

  return (
    <ContentLayout
      breadcrumbs={<Crumbs way={[MACHINES]} here="Create" />}
      header={<Header variant="h1">Create state machine</Header>}
    >
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => go("/state-machines")}>
              Cancel
            </Button>
            <Button
              variant="primary"
              loading={create.isPending}
              disabled={name === "" || tagsProblem(tags) !== undefined}
              onClick={() => create.mutate()}
            >
              Create
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          {create.error && (
            <Alert type="error" statusIconAriaLabel="Error" header="It was not created">
              {messageOf(create.error)}
            </Alert>
          )}
          <Container header={<Header variant="h2">Begin with</Header>}>
            <SpaceBetween size="m">
              <Tiles
                ariaLabel="Begin with"
                value={source}
                onChange={(event) => choose(event.detail.value)}
                columns={4}
                items={[
                  {
                    value: FROM_BLANK,
                    label: "Blank",
                    description: "One Pass state. Or paste a definition below, in JSON or YAML.",
                  },
                  { value: FROM_FILE, label: "A file", description: "A definition in JSON or YAML." },
                  ...SAMPLES.map(({ name, description }) => ({ value: name, label: name, description })),
                ]}
              />
              {source === FROM_FILE && (
                <FormField label="Definition file" errorText={fileProblem}>
                  <FileUpload
                    value={files}
                    onChange={(event) => open(event.detail.value)}
                    accept=".json,.yaml,.yml,.asl,application/json"
                    showFileSize
                    i18nStrings={{
                      uploadButtonText: () => "Choose a file",
                      dropzoneText: () => "Drop a file here",
                      removeFileAriaLabel: () => "Remove the file",
                      limitShowFewer: "Show fewer",
                      limitShowMore: "Show more",
                      errorIconAriaLabel: "Error",
                    }}
                  />
                </FormField>
              )}
            </SpaceBetween>
          </Container>
          <Container header={<Header variant="h2">State machine</Header>}>
            <SpaceBetween size="m">
              <FormField label="Name" constraintText="1 to 80 characters. It cannot be changed later.">
                <Input value={name} onChange={(event) => setName(event.detail.value)} placeholder="my-state-machine" />
              </FormField>
              <FormField label="Type">
                <Tiles
                  value={type}
                  onChange={(event) => setType(event.detail.value as MachineType)}
                  items={[
                    { value: "STANDARD", label: "Standard", description: "Durable, up to a year, exactly one start." },
                    { value: "EXPRESS", label: "Express", description: "Short and many, up to five minutes." },
                  ]}
                />
              </FormField>
              <ExpandableSection headerText="Role and tags">
                <SpaceBetween size="m">
                  <FormField label="Role" description="Kept and shown; there is no IAM to ask yet.">
                    <Input value={role} onChange={(event) => setRole(event.detail.value)} />
                  </FormField>
                  <FormField label="Tags">
                    <TagsEditor tags={tags} onChange={setTags} />
                  </FormField>
                </SpaceBetween>
              </ExpandableSection>
            </SpaceBetween>
          </Container>
          <Container header={<Header variant="h2">Definition</Header>}>
            <div className="halves">
              <Code text={text} label="Definition" onChange={setText} />
              <Suspense>
                {definition ? (
                  <GraphView definition={definition} label="Graph of the definition" />
                ) : (
                  <Alert type="warning" statusIconAriaLabel="Warning">
                    This is no JSON and no YAML yet.
                  </Alert>
                )}
              </Suspense>
            </div>
          </Container>
        </SpaceBetween>
      </Form>
    </ContentLayout>
  );
}
