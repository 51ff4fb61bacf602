import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useRef } from "react";
import { Crumbs, MACHINES } from "../app/Crumbs";
import { download } from "../app/download";
import { machineHref } from "../app/Link";
import { failed } from "../app/notices";
import type { Machine } from "../aws/operations";
import { graphSvg, svgToPng } from "../graph/exportGraph";
import { notationOf } from "../model/text";
import { useTools } from "./context";
import type { Document } from "./document";
import { convert } from "./yaml";

export type Panel = "both" | "form" | "code" | "test";

/** Larger files are no definition. Source: the largest definition, and room for comments. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export function EditorHead(props: {
  machine: Machine;
  document: Document;
  panel: Panel;
  isDirty: boolean;
  isSaving: boolean;
  onPanel: (panel: Panel) => void;
  onSave: () => void;
  onStart: () => void;
  onKeys: () => void;
  undo: () => void;
  redo: () => void;
}) {
  const { machine, document, panel, isDirty, isSaving } = props;
  const { edit } = useTools();
  const file = useRef<HTMLInputElement>(null);
  const notation = notationOf(document.text);
  const other = notation === "JSON" ? "YAML" : "JSON";
  const [undone, redone] = [document.past.at(-1), document.future.at(-1)];
  const act = async (id: string) => {
    try {
      if (id === "open") file.current?.click();
      else if (id === "convert") {
        const text = await convert(document.text, other);
        if (text === undefined) failed(`It cannot be written as ${other}`, "The text has errors.");
        else edit(`wrote it as ${other}`, { text });
      } else await exportAs(id, machine.name, document);
    } catch (error) {
      failed("That did not work", error);
    }
  };
  return (
    <div className="canvas-head">
      <Crumbs way={[MACHINES, [machine.name, machineHref(machine.stateMachineArn)]]} here="Edit" />
      <Header
        variant="h1"
        info={<span className="editor-state">{isDirty ? "Not saved; kept as a draft in this browser" : "Saved"}</span>}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button
              iconName="undo"
              ariaLabel={`Undo${undone ? `: ${undone.label}` : ""}`}
              disabled={!undone}
              onClick={props.undo}
            />
            <Button
              iconName="redo"
              ariaLabel={`Redo${redone ? `: ${redone.label}` : ""}`}
              disabled={!redone}
              onClick={props.redo}
            />
            <SegmentedControl
              label="Beside the graph"
              selectedId={panel}
              onChange={(event) => props.onPanel(event.detail.selectedId as Panel)}
              options={[
                { id: "both", text: "Both" },
                { id: "form", text: "Form" },
                { id: "code", text: "Code" },
                { id: "test", text: "Test" },
              ]}
            />
            <Button iconName="status-info" ariaLabel="Keys" onClick={props.onKeys} />
            <ButtonDropdown
              items={[
                { id: "convert", text: `Write as ${other}`, disabled: !document.isGood },
                { id: "open", text: "Open a file…" },
              ]}
              onItemClick={(event) => void act(event.detail.id)}
            >
              {notation}
            </ButtonDropdown>
            <ButtonDropdown
              items={[
                { id: "json", text: "Definition (JSON)" },
                { id: "yaml", text: "Definition (YAML)" },
                { id: "svg", text: "Graph (SVG)" },
                { id: "png", text: "Graph (PNG)" },
              ]}
              onItemClick={(event) => void act(event.detail.id)}
            >
              Export
            </ButtonDropdown>
            <Button disabled={isDirty} onClick={props.onStart}>
              Start execution
            </Button>
            <Button variant="primary" disabled={!isDirty || !document.isGood} loading={isSaving} onClick={props.onSave}>
              Save
            </Button>
          </SpaceBetween>
        }
      >
        {machine.name}
      </Header>
      <input
        ref={file}
        type="file"
        hidden
        aria-label="A file with a definition"
        accept=".json,.yaml,.yml,.asl"
        onChange={async (event) => {
          const [chosen] = event.target.files ?? [];
          event.target.value = "";
          if (!chosen) return;
          if (chosen.size > FILE_BYTES_MAX) failed("It cannot be opened", "It is too large for a definition.");
          else edit(`opened ${chosen.name}`, { text: await chosen.text() });
        }}
      />
    </div>
  );
}

async function exportAs(what: string, name: string, { text, definition }: Document) {
  if (what === "json" || what === "yaml") {
    const wanted = what === "json" ? "JSON" : "YAML";
    const written = notationOf(text) === wanted ? text : await convert(text, wanted);
    if (written === undefined) failed(`It cannot be written as ${wanted}`, "The text has errors.");
    else download(`${name}.asl.${what}`, new Blob([written], { type: `application/${what}` }));
    return;
  }
  const svg = graphSvg(definition);
  if (what === "svg") download(`${name}.svg`, new Blob([svg.text], { type: "image/svg+xml" }));
  if (what === "png") download(`${name}.png`, await svgToPng(svg));
}
