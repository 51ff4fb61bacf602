import type { State } from "../model/definition";

/** A few words on what a state does, under its name. */
export function subtitle(state: State): string {
  const { fields, type } = state;
  if (type === "Task") return resourceText(String(fields.Resource ?? ""));
  if (type === "Wait") {
    if (fields.Seconds !== undefined)
      return `Wait ${String(fields.Seconds)}${typeof fields.Seconds === "number" ? " s" : ""}`;
    return `Wait ${String(fields.Timestamp ?? fields.SecondsPath ?? fields.TimestampPath ?? "")}`;
  }
  if (type === "Fail") return `Fail ${String(fields.Error ?? fields.ErrorPath ?? "")}`;
  if (type === "Map") {
    const most = fields.MaxConcurrency;
    return `Map${typeof most === "number" && most > 0 ? ` · at most ${most} at once` : ""}`;
  }
  return type || "no type";
}

function resourceText(arn: string): string {
  const service = /^arn:[^:]*:states:[^:]*:[^:]*:(.+)$/.exec(arn)?.[1];
  if (service?.startsWith("activity:")) return service.replace(":", " ");
  return service ?? arn.split(":").slice(-2).join(" ");
}
