/** One sign for each type of state: 16 by 16, drawn with lines. */
export const TYPE_ICONS: Record<string, string> = {
  Task: "M2.5 2.5h11v11h-11zM6.5 5.5v5l4-2.5z",
  Choice: "M8 1.5 14.5 8 8 14.5 1.5 8z",
  Parallel: "M3.5 2.5v11M8 2.5v11M12.5 2.5v11",
  Map: "M2.5 3.5h11M2.5 8h11M2.5 12.5h11",
  Pass: "M2 8h11M9 4l4 4-4 4",
  Wait: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8zM8 4.5V8l2.5 2",
  Succeed: "M2.5 8.5l3.5 4 7.5-9",
  Fail: "M3.5 3.5l9 9M12.5 3.5l-9 9",
};

const OTHER = "M8 2.5v7M8 12.5v1";

/** The colour of a type, as a name of `app.css`. */
export const TYPE_COLOURS: Record<string, string> = {
  Task: "--task",
  Choice: "--choice",
  Parallel: "--flow",
  Map: "--flow",
  Pass: "--pass",
  Wait: "--wait",
  Succeed: "--ok",
  Fail: "--bad",
};

export const STATUS_ICONS: Record<string, string> = {
  running: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8zM5 8h.01M8 8h.01M11 8h.01",
  succeeded: "M3 8.5l3.5 3.5L13 4.5",
  failed: "M4 4l8 8M12 4l-8 8",
  caught: "M8 2 14.5 13.5h-13zM8 6.5v3.5M8 12v.01",
  differs: "M3 6h10M3 10h10M10 3 6 13",
  aborted: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 1 0 8 1.8zM3.7 3.7l8.6 8.6",
};

function Drawn({ path, colour }: { path: string; colour: string }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={path}
        fill="none"
        stroke={`var(${colour})`}
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

export function TypeIcon({ type }: { type: string }) {
  return <Drawn path={TYPE_ICONS[type] ?? OTHER} colour={TYPE_COLOURS[type] ?? "--ink-2"} />;
}

export function StatusIcon({ status }: { status: string }) {
  return <Drawn path={STATUS_ICONS[status] ?? OTHER} colour={`--status-${status}`} />;
}
