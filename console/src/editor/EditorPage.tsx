import Alert from "@cloudscape-design/components/alert";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ClipboardEvent, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { go, machineHref } from "../app/Link";
import { done, failed } from "../app/notices";
import { Problem as LoadProblem } from "../app/Problem";
import { editorRoute } from "../app/router";
import { call } from "../aws/client";
import type { Machine } from "../aws/operations";
import { machineQuery } from "../aws/queries";
import { Code } from "../code/Code";
import { download, graphSvg, svgToPng } from "../graph/exportGraph";
import GraphView, { edgeText } from "../graph/GraphView";
import { StartExecution } from "../machines/StartExecution";
import { type Definition, type Edge, TOP } from "../model/definition";
import {
  copyOf,
  deleteState,
  duplicateState,
  type Edited,
  insertOnEdge,
  moveState,
  takesInsertion,
} from "../model/edits";
import type { Problem } from "../model/problems";
import { change, type Document, openDocument, redo, select, undo } from "./document";
import { dropDraft, keepDraft, readDraft } from "./drafts";
import "./editor.css";
import { readCopied, writeCopied } from "./clipboard";
import { Inspector } from "./Inspector";
import { Palette } from "./Palette";
import { ADDABLE, type Addable } from "./palette";
import { QuickAdd } from "./QuickAdd";
import { TestPanel } from "./TestPanel";
import { useProblems } from "./useProblems";

/** How often it is looked whether somebody else has saved. */
const WATCH_MS = 10_000;
const KEEP_DRAFT_MS = 400;

export function EditorPage() {
  const { arn } = editorRoute.useParams();
  const machine = useQuery({ ...machineQuery(arn), refetchInterval: WATCH_MS });
  if (machine.error && !machine.data) return <LoadProblem what="It cannot be edited" error={machine.error} />;
  if (!machine.data) return <Spinner size="large" />;
  return <Editor key={arn} machine={machine.data} />;
}

type Panel = "both" | "form" | "code" | "test";

function Editor({ machine }: { machine: Machine }) {
  const arn = machine.stateMachineArn;
  const [draft] = useState(() => readDraft(arn));
  // What the server had when the editing began, or when it was saved last.
  const [base, setBase] = useState(draft?.base ?? machine.definition);
  const [document, setDocument] = useState(() => openDocument(draft?.text ?? machine.definition));
  const [panel, setPanel] = useState<Panel>("both");
  const [inserting, setInserting] = useState<Edge>();
  const [renaming, setRenaming] = useState<{ state: string }>();
  const [starting, setStarting] = useState(false);
  const [restored, setRestored] = useState(draft !== undefined && draft.text !== machine.definition);
  const { definition, text, selected } = document;
  const isDirty = text !== base;
  const isConflict = machine.definition !== base;
  const problems = useProblems(document, machine.type);
  const queries = useQueryClient();
  useDraft(arn, text, base);

  const edit = useCallback((label: string, edited: Edited, mergeKey?: string) => {
    setDocument((document) => change(document, label, edited, Date.now(), mergeKey));
  }, []);
  const insert = (edge: Edge, item: Addable) => {
    const given = item.fields && { name: item.label.replace(/^.*: /, ""), fields: item.fields(definition.language) };
    edit(`added ${item.label}`, insertOnEdge(definition, edge, item.type, given));
  };
  const add = (item: Addable) => {
    const edge = edgeBehind(definition, selected);
    if (edge) insert(edge, item);
  };

  const save = useMutation({
    mutationFn: async (overwrite: boolean) => {
      const now = await call("DescribeStateMachine", { stateMachineArn: arn });
      if (!overwrite && now.definition !== base) throw new Conflict();
      await call("UpdateStateMachine", { stateMachineArn: arn, definition: text });
      return text;
    },
    onSuccess: (saved) => {
      setBase(saved);
      setRestored(false);
      queries.setQueryData(machineQuery(arn).queryKey, (old) => old && { ...old, definition: saved });
      done(`${machine.name} is saved.`);
    },
    onError: (error) => {
      if (error instanceof Conflict) queries.invalidateQueries({ queryKey: machineQuery(arn).queryKey });
      else failed(`${machine.name} cannot be saved`, error);
    },
  });
  const load = () => {
    setDocument((document) => change(document, "loaded what is saved", { text: machine.definition }, Date.now()));
    setBase(machine.definition);
    setRestored(false);
  };

  const page = useRef<HTMLDivElement>(null);
  const keys = (event: KeyboardEvent) => {
    const inText = (event.target as HTMLElement).closest("input, textarea, [contenteditable], [role=listbox]") !== null;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === "s") save.mutate(false);
    else if (inText) return;
    else if (command && key === "z") setDocument(event.shiftKey ? redo : undo);
    else if (command && key === "y") setDocument(redo);
    else if (command && key === "d" && selected) edit("duplicated a state", duplicateState(definition, selected));
    else if ((key === "delete" || key === "backspace") && selected)
      edit("deleted a state", deleteState(definition, selected));
    else if (key === "f2" && selected) setRenaming({ state: selected });
    else if (key === "/" || key === "insert") setInserting(edgeBehind(definition, selected));
    else return;
    event.preventDefault();
  };
  const copy = (event: ClipboardEvent, cut: boolean) => {
    const state = selected === undefined ? undefined : definition.states.get(selected);
    if (!state || isText(event.target)) return;
    event.clipboardData.setData("text/plain", writeCopied(copyOf(definition, state)));
    event.preventDefault();
    if (cut) edit(`cut ${state.name}`, deleteState(definition, state.id));
  };
  const paste = (event: ClipboardEvent) => {
    if (isText(event.target)) return;
    const copied = readCopied(event.clipboardData.getData("text/plain"));
    const edge = edgeBehind(definition, selected);
    if (!copied || !edge) return;
    event.preventDefault();
    edit(`pasted ${copied.name}`, insertOnEdge(definition, edge, copied.type, copied));
  };

  const editing = useMemo(
    () => ({
      onInsert: setInserting,
      onDrop: (edge: Edge, dragged: string) => {
        if (dragged.startsWith("state:")) edit("moved a state", moveState(definition, dragged.slice(6), edge));
        const item = ADDABLE.find((item) => item.id === dragged);
        if (item) insertRef.current(edge, item);
      },
    }),
    [definition, edit],
  );
  const insertRef = useRef(insert);
  insertRef.current = insert;

  const state = selected === undefined ? undefined : definition.states.get(selected);
  const reveal = useReveal(document);
  const counts = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { state } of problems) if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }, [problems]);
  const diagnostics = useMemo(
    () =>
      problems.map(({ from, to, severity, message }) => ({
        from,
        to,
        message,
        severity: severity === "ERROR" ? ("error" as const) : ("warning" as const),
      })),
    [problems],
  );

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts of all that is within
    <div
      className="editor"
      ref={page}
      onKeyDown={keys}
      onCopy={(event) => copy(event, false)}
      onCut={(event) => copy(event, true)}
      onPaste={paste}
    >
      <div className="editor-head">
        <BreadcrumbGroup
          ariaLabel="Breadcrumbs"
          items={[
            { text: "State machines", href: "/state-machines" },
            { text: machine.name, href: machineHref(arn) },
            { text: "Edit", href: "" },
          ]}
          onFollow={(event) => {
            event.preventDefault();
            go(event.detail.href);
          }}
        />
        <Header
          variant="h1"
          info={
            <span className="editor-state">{isDirty ? "Not saved; kept as a draft in this browser" : "Saved"}</span>
          }
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                iconName="undo"
                ariaLabel={`Undo${document.past.length > 0 ? `: ${document.past.at(-1)?.label}` : ""}`}
                disabled={document.past.length === 0}
                onClick={() => setDocument(undo)}
              />
              <Button
                iconName="redo"
                ariaLabel={`Redo${document.future.length > 0 ? `: ${document.future.at(-1)?.label}` : ""}`}
                disabled={document.future.length === 0}
                onClick={() => setDocument(redo)}
              />
              <SegmentedControl
                label="Beside the graph"
                selectedId={panel}
                onChange={(event) => setPanel(event.detail.selectedId as Panel)}
                options={[
                  { id: "both", text: "Both" },
                  { id: "form", text: "Form" },
                  { id: "code", text: "Code" },
                  { id: "test", text: "Test" },
                ]}
              />
              <ButtonDropdown
                items={[
                  { id: "json", text: "Definition (JSON)" },
                  { id: "svg", text: "Graph (SVG)" },
                  { id: "png", text: "Graph (PNG)" },
                ]}
                onItemClick={(event) => exportAs(event.detail.id, machine.name, document)}
              >
                Export
              </ButtonDropdown>
              <Button disabled={isDirty} onClick={() => setStarting(true)}>
                Start execution
              </Button>
              <Button
                variant="primary"
                disabled={!isDirty || !document.isGood}
                loading={save.isPending}
                onClick={() => save.mutate(false)}
              >
                Save
              </Button>
            </SpaceBetween>
          }
        >
          {machine.name}
        </Header>
      </div>
      {isConflict && (
        <Alert
          type="warning"
          statusIconAriaLabel="Warning"
          header="Somebody else has saved this state machine meanwhile"
          action={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={load}>Load what is saved</Button>
              {isDirty && <Button onClick={() => save.mutate(true)}>Overwrite it</Button>}
            </SpaceBetween>
          }
        >
          What you load can be undone.
        </Alert>
      )}
      {restored && !isConflict && (
        <Alert
          type="info"
          statusIconAriaLabel="Info"
          action={<Button onClick={load}>Discard the draft</Button>}
          dismissible
          dismissAriaLabel="Dismiss"
          onDismiss={() => setRestored(false)}
        >
          This is the draft that you did not save.
        </Alert>
      )}
      <div className={`editor-body panel-${panel}`}>
        <Palette onAdd={add} />
        <GraphView
          definition={definition}
          label="Graph"
          selected={selected}
          onSelect={(id) => setDocument((document) => select(document, id))}
          problems={counts}
          editing={editing}
          stale={!document.isGood}
        />
        <div className="editor-side">
          {panel === "test" && (
            <section className="inspector" aria-label="Test">
              <TestPanel
                machineArn={arn}
                roleArn={machine.roleArn}
                definition={definition}
                state={state}
                onSelect={(id) => setDocument((document) => select(document, id))}
              />
            </section>
          )}
          {(panel === "both" || panel === "form") && (
            <section className="inspector" aria-label="Form">
              <Inspector
                key={selected ?? ""}
                definition={definition}
                state={state}
                problems={problems}
                renaming={renaming}
                onEdit={edit}
              />
            </section>
          )}
          {(panel === "both" || panel === "code") && (
            <Code
              text={text}
              label="Definition as JSON"
              onChange={(text) => edit("typed", { text }, "code")}
              onCaret={(offset) => setDocument((document) => select(document, stateAt(document.definition, offset)))}
              history={{ undo: () => setDocument(undo), redo: () => setDocument(redo) }}
              diagnostics={diagnostics}
              reveal={reveal}
            />
          )}
        </div>
      </div>
      <Problems
        problems={problems}
        definition={definition}
        onSelect={(id) => setDocument((document) => select(document, id))}
      />
      {inserting && (
        <QuickAdd
          where={edgeText(definition, inserting)}
          onAdd={(item) => {
            insert(inserting, item);
            setInserting(undefined);
          }}
          onClose={() => setInserting(undefined)}
        />
      )}
      {starting && <StartExecution machineArn={arn} type={machine.type} onClose={() => setStarting(false)} />}
    </div>
  );
}

class Conflict extends Error {}

function isText(target: EventTarget): boolean {
  return (target as HTMLElement).closest("input, textarea, [contenteditable]") !== null;
}

/** The edge behind the selected state; without one, the edge to the end of the top level. */
function edgeBehind(definition: Definition, selected: string | undefined): Edge | undefined {
  const open = definition.edges.filter((edge) => takesInsertion(definition, edge));
  const order = ["next", "end", "default", "choice", "start"];
  const behind = open.filter((edge) => (selected === undefined ? edge.scope === TOP : edge.from === selected));
  if (selected === undefined) return behind.find((edge) => edge.kind === "end") ?? behind[0];
  const into = open.filter((edge) => edge.to === selected);
  const sorted = behind.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  // Nothing leads on from Succeed and Fail: what is added goes before them.
  return sorted[0] ?? into[0];
}

/** The innermost state around a place in the text. */
function stateAt(definition: Definition, offset: number): string | undefined {
  let found: { id: string; length: number } | undefined;
  for (const state of definition.states.values()) {
    const isAround = offset >= state.offset && offset <= state.offset + state.length;
    if (isAround && (!found || state.length < found.length)) found = { id: state.id, length: state.length };
  }
  return found?.id;
}

/** Where the code should scroll: to the state that was selected in the graph or just added, not while typing. */
function useReveal(document: Document): { from: number; to: number } | undefined {
  const { selected, definition, merging } = document;
  const [reveal, setReveal] = useState<{ from: number; to: number }>();
  const isTyping = merging?.key === "code";
  const latest = useRef(definition);
  latest.current = definition;
  useEffect(() => {
    const state = selected === undefined ? undefined : latest.current.states.get(selected);
    const editor = globalThis.document.activeElement?.closest(".code");
    if (state && !isTyping && !editor) setReveal({ from: state.offset, to: state.offset + state.length });
  }, [selected, isTyping]);
  return reveal;
}

function useDraft(arn: string, text: string, base: string) {
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text === base) dropDraft(arn);
      else if (!keepDraft(arn, { text, base })) failed("The draft cannot be kept", "This browser has no room for it.");
    }, KEEP_DRAFT_MS);
    return () => clearTimeout(timer);
  }, [arn, text, base]);
}

async function exportAs(what: string, name: string, { text, definition }: Document) {
  try {
    if (what === "json") download(`${name}.asl.json`, new Blob([text], { type: "application/json" }));
    const svg = graphSvg(definition);
    if (what === "svg") download(`${name}.svg`, new Blob([svg.text], { type: "image/svg+xml" }));
    if (what === "png") download(`${name}.png`, await svgToPng(svg));
  } catch (error) {
    failed("It cannot be exported", error);
  }
}

function Problems(props: { problems: readonly Problem[]; definition: Definition; onSelect: (id: string) => void }) {
  const { problems, definition, onSelect } = props;
  const [open, setOpen] = useState(false);
  const errors = problems.filter((problem) => problem.severity === "ERROR").length;
  const words = problems.length === 0 ? "No problems" : `${errors} errors, ${problems.length - errors} warnings`;
  return (
    <section className="problems" aria-label="Problems">
      <div role="status">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "▾" : "▸"} {words}
        </button>
      </div>
      {open && (
        <ul>
          {problems.map((problem) => {
            const state = problem.state === undefined ? undefined : definition.states.get(problem.state);
            return (
              <li key={`${problem.from} ${problem.message}`}>
                <button type="button" disabled={!state} onClick={() => state && onSelect(state.id)}>
                  <strong>{state?.name ?? "State machine"}</strong> {problem.field ?? ""} {problem.message}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
