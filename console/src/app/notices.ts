/** Messages above the page: what was done, and what failed. */
import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { create } from "zustand";
import { messageOf } from "../aws/client";

/** More are not kept: the oldest goes. */
const NOTICES_MAX = 5;

let count = 0;

export const useNotices = create<{ items: FlashbarProps.MessageDefinition[] }>(() => ({ items: [] }));

function notify(notice: FlashbarProps.MessageDefinition) {
  const id = `notice-${count++}`;
  const dismiss = () => useNotices.setState(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
  const item = { ...notice, id, dismissible: true, dismissLabel: "Dismiss message", onDismiss: dismiss };
  useNotices.setState(({ items }) => ({ items: [...items, item].slice(-NOTICES_MAX) }));
}

export function done(content: string) {
  notify({ type: "success", content, ariaRole: "status" });
}

export function failed(header: string, error: unknown) {
  notify({ type: "error", header, content: messageOf(error), ariaRole: "alert" });
}
