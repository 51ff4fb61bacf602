/** The reader of YAML, loaded when the first text in YAML is opened or wanted. */
import { useEffect, useState } from "react";
import { failed } from "../app/notices";
import { learnYaml, type NotationName, notation } from "../model/text";

let loading: Promise<void> | undefined;

export function loadYaml(): Promise<void> {
  loading ??= import("../model/yamlText").then(
    (yaml) => learnYaml(yaml.YAML),
    (error) => {
      // The server may be back the next time.
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** Whether texts in this notation can be read; loads what is missing. */
export function useNotation(name: NotationName): boolean {
  const [ready, setReady] = useState<NotationName>("JSON");
  useEffect(() => {
    if (name === "JSON") {
      setReady("JSON");
      return;
    }
    let isWanted = true;
    loadYaml().then(
      () => isWanted && setReady("YAML"),
      (error) => failed("YAML cannot be read", error),
    );
    return () => {
      isWanted = false;
    };
  }, [name]);
  return ready === name;
}

/** A text in the other notation; a round trip keeps the values, not the comments. */
export async function convert(text: string, to: NotationName): Promise<string | undefined> {
  await loadYaml();
  const json = notation(to === "JSON" ? "YAML" : "JSON").toJson(text);
  return json === undefined ? undefined : notation(to).fromJson(json);
}
