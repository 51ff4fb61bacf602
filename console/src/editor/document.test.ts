import { describe, expect, test } from "vitest";
import { change, openDocument, redo, select, undo } from "./document";

const TEXT = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}';
const MORE = TEXT.replace('"Pass"', '"Wait"');

describe("one history", () => {
  test("undo and redo bring text and selection back", () => {
    const first = select(openDocument(TEXT), "/States/A");
    const changed = change(first, "changed the type", { text: MORE, selected: "/States/A" }, 0);
    expect(changed.definition.states.get("/States/A")?.type).toBe("Wait");
    const undone = undo(changed);
    expect([undone.text, undone.selected, undone.past.length]).toEqual([TEXT, "/States/A", 0]);
    expect(undone.future.at(-1)?.label).toBe("changed the type");
    expect(redo(undone).text).toBe(MORE);
    expect(redo(redo(undone)).text).toBe(MORE);
  });

  test("typing is one step until it pauses or something else is done", () => {
    let document = openDocument(TEXT);
    document = change(document, "typed", { text: `${TEXT} ` }, 0, "code");
    document = change(document, "typed", { text: `${TEXT}  ` }, 100, "code");
    expect(document.past.length).toBe(1);
    document = change(document, "typed", { text: `${TEXT}   ` }, 5_000, "code");
    expect(document.past.length).toBe(2);
    document = change(document, "set", { text: MORE }, 5_001, "field");
    expect(document.past.length).toBe(3);
    expect(undo(undo(undo(document))).text).toBe(TEXT);
  });

  test("text that cannot be read keeps the last graph", () => {
    const broken = change(openDocument(TEXT), "typed", { text: "{" }, 0);
    expect([broken.isGood, broken.definition.states.size]).toEqual([false, 1]);
    expect(undo(broken).isGood).toBe(true);
  });

  test("a new change ends what could be redone; no change is no step", () => {
    const undone = undo(change(openDocument(TEXT), "x", { text: MORE }, 0));
    expect(change(undone, "y", { text: `${TEXT}\n` }, 0).future).toEqual([]);
    expect(change(undone, "y", { text: TEXT }, 0)).toBe(undone);
  });

  test("what is selected and no longer there is not selected", () => {
    const selected = select(openDocument(TEXT), "/States/A");
    expect(change(selected, "x", { text: TEXT.replaceAll('"A"', '"B"') }, 0).selected).toBeUndefined();
  });
});
