/** Messages above the page: what was done, and what failed. */
import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { create } from "zustand";
import { messageOf } from "../aws/client";

/** More are not kept: the oldest goes. */
const NOTICES_MAX = 5;
/** What was done needs no answer; what failed stays until it is dismissed. */
const DONE_STAYS_MS = 8_000;

let count = 0;

export const useNotices = create<{ items: FlashbarProps.MessageDefinition[] }>(() => ({ items: [] }));

/** The newest is the one that is shown where several are stacked. */
function notify(notice: FlashbarProps.MessageDefinition, staysMs?: number) {
  const id = `notice-${count++}`;
  const dismiss = () => useNotices.setState(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
  const item = { ...notice, id, dismissible: true, dismissLabel: "Dismiss message", onDismiss: dismiss };
  useNotices.setState(({ items }) => ({ items: [item, ...items].slice(0, NOTICES_MAX) }));
  if (staysMs !== undefined) setTimeout(dismiss, staysMs);
}

export function done(content: string) {
  notify({ type: "success", content, ariaRole: "status" }, DONE_STAYS_MS);
}

export function failed(header: string, error: unknown) {
  notify({ type: "error", header, content: messageOf(error), ariaRole: "alert" });
}
