import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";

/** A list of any length in which only what is in sight is drawn. */
export function Rows<T>(props: {
  items: readonly T[];
  keyOf: (item: T) => string | number;
  /** Pixels; of one that `grows`, while it is closed. */
  height: number;
  /** Rows may open to what they hold. */
  grows?: boolean;
  label: string;
  className: string;
  classOf?: (item: T) => string;
  /** The row to scroll to. */
  shown?: number;
  /** One row: a button, and what it opens. */
  children: (item: T) => ReactNode;
}) {
  const { items, keyOf, height, grows, shown = -1 } = props;
  const host = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => host.current,
    estimateSize: () => height,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 10,
  });
  useEffect(() => {
    if (shown >= 0) rows.scrollToIndex(shown);
  }, [shown, rows]);
  return (
    <section className={`rows ${props.className}`} ref={host} tabIndex={0} aria-label={props.label}>
      <ol style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const item = items[row.index];
          if (item === undefined) return null;
          return (
            <li
              key={row.key}
              ref={grows ? rows.measureElement : undefined}
              data-index={row.index}
              className={props.classOf?.(item)}
              style={{ transform: `translateY(${row.start}px)`, ...(grows ? {} : { blockSize: height }) }}
            >
              {props.children(item)}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
