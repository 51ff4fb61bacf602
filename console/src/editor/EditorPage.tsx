import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { done, failed } from "../app/notices";
import { Problem as LoadProblem } from "../app/Problem";
import { editorRoute } from "../app/router";
import { call } from "../aws/client";
import type { Machine } from "../aws/operations";
import { machineQuery } from "../aws/queries";
import { Code } from "../code/Code";
import GraphView, { edgeText } from "../graph/GraphView";
import { type Definition, type Edge, type StateId, TOP } from "../model/definition";
import { type Edited, insertOnEdge, moveState, redirect, takesInsertion } from "../model/edits";
import { fixesOf } from "../model/fixes";
import { copyRegion, deleteRegion, insertCopied, moveRegion, regionOf } from "../model/region";
import { notationOf, toJson } from "../model/text";
import { actionsOn } from "./actions";
import { parametersQuery, servicesQuery } from "./catalogue";
import { completeCode } from "./completeCode";
import { ToolsProvider } from "./context";
import { change, type Document, openDocument, redo, reread, select, undo } from "./document";
import { type Base, type Draft, dropDraft, keepDraft, keepSource, readDraft, readSource } from "./drafts";
import "./editor.css";
import { readCopied, writeCopied } from "./clipboard";
import { EditorHead, type Panel } from "./EditorHead";
import { FindState } from "./FindState";
import { Inspector } from "./Inspector";
import { Palette } from "./Palette";
import { ProblemList } from "./ProblemList";
import { type Addable, addableById, fieldsOf } from "./palette";
import { QuickAdd } from "./QuickAdd";
import { FRESH, keepTests, readTests, type TestCase } from "./tests";
import { useDesignData } from "./useDesignData";
import { useProblems } from "./useProblems";
import { useNotation } from "./yaml";

// What is opened in some sittings alone.
const StartExecution = lazy(() => import("../machines/StartExecution").then((of) => ({ default: of.StartExecution })));
const Extract = lazy(() => import("./Extract").then((of) => ({ default: of.Extract })));
const Keys = lazy(() => import("./Keys").then((of) => ({ default: of.Keys })));
const TestPanel = lazy(() => import("./TestPanel").then((of) => ({ default: of.TestPanel })));

/** How often it is looked whether somebody else has saved. */
const WATCH_MS = 10_000;
const KEEP_DRAFT_MS = 400;

export function EditorPage() {
  const { arn } = editorRoute.useParams();
  const machine = useQuery({ ...machineQuery(arn), refetchInterval: WATCH_MS });
  if (machine.error && !machine.data) return <LoadProblem what="It cannot be edited" error={machine.error} />;
  if (!machine.data) return <Spinner size="large" />;
  return <Opening key={arn} machine={machine.data} />;
}

/** Waits until the text that is opened can be read. */
function Opening({ machine }: { machine: Machine }) {
  const arn = machine.stateMachineArn;
  const [saved] = useState(() => readSource(arn, machine.definition));
  const [draft] = useState(() => readDraft(arn));
  const isReadable = useNotation(notationOf(draft?.text ?? saved.text));
  if (!isReadable) return <Spinner size="large" />;
  return <Editor machine={machine} opened={draft ?? { text: saved.text, base: saved }} isDraft={draft !== undefined} />;
}

function Editor(props: { machine: Machine; opened: Draft; isDraft: boolean }) {
  const { machine, opened } = props;
  const arn = machine.stateMachineArn;
  // What the server had when the editing began, or when it was saved last.
  const [base, setBase] = useState(opened.base);
  const search = editorRoute.useSearch();
  const navigate = editorRoute.useNavigate();
  const [document, setDocument] = useState(() => {
    const document = openDocument(opened.text);
    const named = [...document.definition.states.values()].find(({ name }) => name === search.state);
    return select(document, named?.id);
  });
  const [panel, setPanel] = useState<Panel>("both");
  const [marked, setMarked] = useState<readonly StateId[]>([]);
  const [asking, setAsking] = useState<"keys" | "find" | "start" | "extract">();
  const [inserting, setInserting] = useState<Edge>();
  const [renaming, setRenaming] = useState<{ state: string }>();
  const [restored, setRestored] = useState(props.isDraft && opened.text !== opened.base.text);
  const [tests, setTests] = useState(() => readTests(arn));
  const { definition, text, selected } = document;
  const isDirty = text !== base.text;
  const isConflict = machine.definition !== base.definition;
  const problems = useProblems(document, machine.type);
  const state = selected === undefined ? undefined : definition.states.get(selected);
  const data = useDesignData(machine, state, state && tests[state.name]);
  const queries = useQueryClient();
  useDraft(arn, text, base);
  // A link leads to the state that is edited.
  const named = state?.name;
  useEffect(() => {
    void navigate({ search: { state: named }, replace: true });
  }, [named, navigate]);
  const isReadable = useNotation(notationOf(text));
  useEffect(() => {
    if (isReadable) setDocument(reread);
  }, [isReadable]);

  const edit = useCallback((label: string, edited: Edited, mergeKey?: string) => {
    setDocument((document) => change(document, label, edited, Date.now(), mergeKey));
  }, []);
  const history = useMemo(() => ({ undo: () => setDocument(undo), redo: () => setDocument(redo) }), []);
  const choose = (id: StateId | undefined, adds = false) => {
    if (!adds || id === undefined) setMarked([]);
    else if (id === selected || marked.includes(id)) {
      const others = marked.filter((other) => other !== id);
      setMarked(id === selected ? others.slice(1) : others);
      if (id === selected) setDocument((document) => select(document, others[0]));
      return;
    } else if (selected !== undefined) setMarked([...marked, selected]);
    setDocument((document) => select(document, id));
  };
  const chosen = useMemo(() => {
    const there = marked.filter((id) => definition.states.has(id) && id !== selected);
    return selected === undefined ? [] : [selected, ...there];
  }, [definition, selected, marked]);

  const insert = async (edge: Edge, item: Addable) => {
    // Without them it is added all the same.
    const known = item.calls && queries.ensureQueryData(parametersQuery(item.calls)).catch(() => undefined);
    const parameters = (await known)?.skeleton;
    setDocument((document) => {
      const { definition } = document;
      // The text may have changed meanwhile.
      const at = definition.edges.find(({ id }) => id === edge.id);
      if (!at) return document;
      const fields = fieldsOf(item, definition.language, parameters);
      const given = fields && { name: item.label.replace(/^.*: /, ""), fields };
      return change(document, `added ${item.label}`, insertOnEdge(definition, at, item.type, given), Date.now());
    });
  };
  const add = (item: Addable) => {
    const edge = edgeBehind(definition, selected);
    if (edge) void insert(edge, item);
  };
  const keepTest = (name: string, part: Partial<TestCase>) => {
    const { [name]: before = FRESH, ...others } = tests;
    const all = { ...others, [name]: { ...before, ...part } };
    setTests(all);
    keepTests(arn, all);
  };

  const save = useMutation({
    mutationFn: async (overwrite: boolean) => {
      const now = await call("DescribeStateMachine", { stateMachineArn: arn });
      if (!overwrite && now.definition !== base.definition) throw new Conflict();
      const saved = { definition: toJson(text) ?? text, text };
      await call("UpdateStateMachine", { stateMachineArn: arn, definition: saved.definition });
      return saved;
    },
    onSuccess: (saved) => {
      setBase(saved);
      setRestored(false);
      // At once: a page that is loaded again must not take it for newer. What was typed meanwhile is kept after a pause.
      dropDraft(arn);
      if (!keepSource(arn, saved)) failed("Its comments are not kept", "This browser has no room for the YAML.");
      queries.setQueryData(machineQuery(arn).queryKey, (old) => old && { ...old, definition: saved.definition });
      done(`${machine.name} is saved.`);
    },
    onError: (error) => {
      if (error instanceof Conflict) queries.invalidateQueries({ queryKey: machineQuery(arn).queryKey });
      else failed(`${machine.name} cannot be saved`, error);
    },
  });
  const load = () => {
    const saved = readSource(arn, machine.definition);
    setDocument((document) => change(document, "loaded what is saved", { text: saved.text }, Date.now()));
    setBase(saved);
    setRestored(false);
  };

  const copied = (): { text: string; edited: Edited; what: string } | undefined => {
    const region = regionOf(definition, chosen);
    if ("problem" in region) {
      if (chosen.length > 0) failed("They cannot be copied", region.problem);
      return undefined;
    }
    const what = region.states.length === 1 ? region.entry.name : `${region.states.length} states`;
    return { text: writeCopied(copyRegion(definition, region)), edited: deleteRegion(definition, region), what };
  };
  const actions = actionsOn(definition, chosen, {
    edit,
    rename: () => selected !== undefined && setRenaming({ state: selected }),
    test: () => setPanel("test"),
    extract: () => setAsking("extract"),
    extractsNothing: machine.type === "EXPRESS" ? "Express state machines cannot wait for another." : undefined,
    copy: (cut) => {
      const given = copied();
      if (!given) return;
      // Browsers have it for pages from this machine or by https alone.
      const { clipboard } = navigator as { clipboard?: Clipboard };
      if (!clipboard) return failed(`${given.what} cannot be copied from here`, "Press Ctrl+C or Ctrl+X instead.");
      clipboard.writeText(given.text).then(
        () => cut && edit(`cut ${given.what}`, given.edited),
        (error) => failed("It cannot be copied", error),
      );
    },
  });
  const act = (id: string) => {
    const action = actions.find((action) => action.id === id);
    if (action?.disabled !== undefined) failed(`${action.label} is not possible`, action.disabled);
    else action?.run();
  };

  const keys = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const inText = isText(target) || target.closest("[role=listbox], [role=dialog], [role=menu]") !== null;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const inForm = target.closest("input, textarea") !== null && target.closest("[data-form]") !== null;
    if (command && key === "s") save.mutate(false);
    else if (command && key === "z" && (!inText || inForm)) (event.shiftKey ? history.redo : history.undo)();
    else if (command && key === "y" && (!inText || inForm)) history.redo();
    else if (inText) return;
    else if (command && key === "f") setAsking("find");
    else if (command && key === "d" && selected) act("duplicate");
    else if ((key === "delete" || key === "backspace") && selected) act("delete");
    else if (key === "f2" && selected) act("rename");
    else if (key === "/" || key === "insert") setInserting(edgeBehind(definition, selected));
    else if (key === "?") setAsking("keys");
    // Letters alone are keys of the graph, not of the page. Source: WCAG 2.1, 2.1.4.
    else if (!command && !event.altKey && selected && key in LETTERS && target.closest(".graph"))
      act(LETTERS[key] ?? "");
    else return;
    event.preventDefault();
  };
  const copy = (event: ClipboardEvent, cut: boolean) => {
    const given = isText(event.target) || hasSelection() ? undefined : copied();
    if (!given) return;
    event.clipboardData.setData("text/plain", given.text);
    event.preventDefault();
    if (cut) edit(`cut ${given.what}`, given.edited);
  };
  const paste = (event: ClipboardEvent) => {
    if (isText(event.target)) return;
    const states = readCopied(event.clipboardData.getData("text/plain"));
    // On the button of an edge it is pasted there: so an empty branch is reached by keyboard too.
    const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-edge]")?.dataset.edge;
    const edge = definition.edges.find((edge) => edge.id === focused) ?? edgeBehind(definition, selected);
    const [first] = states;
    if (!first || !edge) return;
    event.preventDefault();
    const what = states.length === 1 ? first.name : `${states.length} states`;
    edit(`pasted ${what}`, insertCopied(definition, edge, states));
  };

  const drop = (edge: Edge, dragged: string) => {
    const id = dragged.startsWith("state:") ? dragged.slice("state:".length) : undefined;
    const region =
      id !== undefined && chosen.length > 1 && chosen.includes(id) ? regionOf(definition, chosen) : undefined;
    if (region && "problem" in region) failed("They cannot be moved", region.problem);
    else if (region) edit(`moved ${region.states.length} states`, moveRegion(definition, region, edge));
    else if (id !== undefined) edit("moved a state", moveState(definition, id, edge));
    const item = addableById(dragged, queries.getQueryData(servicesQuery.queryKey));
    if (item) void insert(edge, item);
  };
  const latestDrop = useRef(drop);
  latestDrop.current = drop;
  const editing = useMemo(
    () => ({
      onInsert: setInserting,
      onDrop: (edge: Edge, dragged: string) => latestDrop.current(edge, dragged),
      onRetarget: (edge: Edge, target: StateId | undefined) => {
        const name = (target && definition.states.get(target)?.name) ?? "the end";
        edit(`led an edge to ${name}`, redirect(definition, edge, target));
      },
    }),
    [definition, edit],
  );

  const reveal = useReveal(document);
  const counts = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { state } of problems) if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }, [problems]);
  const diagnostics = useMemo(
    () =>
      problems.map((problem) => ({
        from: problem.from,
        to: problem.to,
        message: problem.message,
        severity: problem.severity === "ERROR" ? ("error" as const) : ("warning" as const),
        actions: fixesOf(definition, problem).map((fix) => ({
          name: fix.label,
          apply: () => edit(`fixed: ${fix.label}`, fix.edit(definition)),
        })),
      })),
    [problems, definition, edit],
  );
  const tools = useMemo(() => ({ definition, data, edit, ...history }), [definition, data, edit, history]);

  return (
    <ToolsProvider value={tools}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: shortcuts of all that is within */}
      <div
        className="canvas editor"
        onKeyDown={keys}
        onCopy={(event) => copy(event, false)}
        onCut={(event) => copy(event, true)}
        onPaste={paste}
      >
        <EditorHead
          machine={machine}
          document={document}
          panel={panel}
          isDirty={isDirty}
          isSaving={save.isPending}
          onPanel={setPanel}
          onSave={() => save.mutate(false)}
          onStart={() => setAsking("start")}
          onKeys={() => setAsking("keys")}
          {...history}
        />
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
            marked={chosen}
            onSelect={choose}
            problems={counts}
            editing={editing}
            stale={!document.isGood}
          />
          <div className="editor-side">
            {panel === "test" && (
              <section className="inspector" aria-label="Test">
                <Suspense fallback={<Spinner />}>
                  <TestPanel
                    roleArn={machine.roleArn}
                    definition={definition}
                    state={state}
                    tests={tests}
                    onKeep={keepTest}
                    onSelect={choose}
                  />
                </Suspense>
              </section>
            )}
            {(panel === "both" || panel === "form") && (
              <section className="inspector" aria-label="Form" data-form>
                <Inspector
                  key={selected ?? ""}
                  state={state}
                  problems={problems}
                  renaming={renaming}
                  actions={actions}
                  count={chosen.length}
                />
              </section>
            )}
            {(panel === "both" || panel === "code") && (
              <Code
                text={text}
                label={`Definition as ${notationOf(text)}`}
                onChange={(text) => edit("typed", { text }, "code")}
                onCaret={(offset) => {
                  setMarked([]);
                  setDocument((document) => select(document, stateAt(document.definition, offset)));
                }}
                history={history}
                diagnostics={diagnostics}
                reveal={reveal}
                completer={(text, caret) => completeCode(text, caret, definition, data)}
              />
            )}
          </div>
        </div>
        <ProblemList problems={problems} onSelect={choose} />
        {inserting && (
          <QuickAdd
            where={edgeText(definition, inserting)}
            onAdd={(item) => {
              void insert(inserting, item);
              setInserting(undefined);
            }}
            onClose={() => setInserting(undefined)}
          />
        )}
        <Suspense>
          {asking === "start" && (
            <StartExecution machineArn={arn} type={machine.type} onClose={() => setAsking(undefined)} />
          )}
          {asking === "extract" && <Extract machine={machine} states={chosen} onClose={() => setAsking(undefined)} />}
          {asking === "keys" && <Keys onClose={() => setAsking(undefined)} />}
        </Suspense>
        {asking === "find" && (
          <FindState
            definition={definition}
            onSelect={(id) => {
              choose(id);
              setAsking(undefined);
            }}
            onClose={() => setAsking(undefined)}
          />
        )}
      </div>
    </ToolsProvider>
  );
}

/** Actions by the letter that calls them. */
const LETTERS: Record<string, string> = { g: "parallel", m: "map", x: "extract", e: "catch", u: "unwrap", t: "test" };

class Conflict extends Error {}

function isText(target: EventTarget): boolean {
  return (target as HTMLElement).closest("input, textarea, [contenteditable]") !== null;
}

/** Words are selected on the page: they are what is copied. */
function hasSelection(): boolean {
  return (getSelection()?.toString() ?? "") !== "";
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

function useDraft(arn: string, text: string, base: Base) {
  useEffect(() => {
    const timer = setTimeout(() => {
      if (text === base.text) dropDraft(arn);
      else if (!keepDraft(arn, { text, base })) failed("The draft cannot be kept", "This browser has no room for it.");
    }, KEEP_DRAFT_MS);
    return () => clearTimeout(timer);
  }, [arn, text, base]);
}
