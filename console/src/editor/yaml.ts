/** The reader of YAML, loaded when the first text in YAML is opened or wanted. */
import { useEffect, useState } from "react";
import { learnYaml, type NotationName, notation } from "../model/text";

let loading: Promise<void> | undefined;

export function loadYaml(): Promise<void> {
  loading ??= import("../model/yamlText").then((yaml) => learnYaml(yaml.YAML));
  return loading;
}

/** Whether texts in this notation can be read; loads what is missing. */
export function useNotation(name: NotationName): boolean {
  const [ready, setReady] = useState(name === "JSON");
  useEffect(() => {
    if (name === "JSON") setReady(true);
    else void loadYaml().then(() => setReady(true));
  }, [name]);
  return ready;
}

/** A text in the other notation; a round trip keeps the values, not the comments. */
export async function convert(text: string, to: NotationName): Promise<string | undefined> {
  await loadYaml();
  const json = notation(to === "JSON" ? "YAML" : "JSON").toJson(text);
  return json === undefined ? undefined : notation(to).fromJson(json);
}
