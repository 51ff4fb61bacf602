/** Where two JSON values differ, as paths. */
export interface JsonChange {
  /** As JSONPath writes it: `$.order.lines[2]`. */
  path: string;
  kind: "added" | "removed" | "changed";
  before?: string;
  after?: string;
}

/** In the order of the members, at most `most`. Texts that are no JSON differ as a whole. */
export function jsonChanges(before: string, after: string, most: number): JsonChange[] {
  const changes: JsonChange[] = [];
  try {
    walk("$", JSON.parse(before), JSON.parse(after), changes, most);
  } catch {
    if (before !== after) changes.push({ path: "$", kind: "changed", before, after });
  }
  return changes;
}

function walk(path: string, before: unknown, after: unknown, changes: JsonChange[], most: number) {
  if (changes.length >= most || before === after) return;
  if (isHolder(before) && isHolder(after) && Array.isArray(before) === Array.isArray(after)) {
    const [ones, others] = [before as Record<string, unknown>, after as Record<string, unknown>];
    for (const key of new Set([...Object.keys(ones), ...Object.keys(others)])) {
      const at = Array.isArray(before) ? `${path}[${key}]` : `${path}${memberText(key)}`;
      if (!(key in ones)) add({ path: at, kind: "added", after: textOf(others[key]) });
      else if (!(key in others)) add({ path: at, kind: "removed", before: textOf(ones[key]) });
      else walk(at, ones[key], others[key], changes, most);
    }
    return;
  }
  add({ path, kind: "changed", before: textOf(before), after: textOf(after) });

  function add(change: JsonChange) {
    if (changes.length < most) changes.push(change);
  }
}

const isHolder = (value: unknown) => typeof value === "object" && value !== null;
const textOf = (value: unknown) => JSON.stringify(value);
const memberText = (key: string) => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
