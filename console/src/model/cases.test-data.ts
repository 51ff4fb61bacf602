/** The definitions that the tests of the model run over: those of the machine's cases and the samples. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = new URL("../../../", import.meta.url).pathname;

function files(folder: string, ending: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Every definition of `crates/machine/tests/definitions`, each with the title of its case. */
export function definitionCases(): { name: string; text: string }[] {
  return files("crates/machine/tests/definitions", ".txt").flatMap((file) => {
    const lines = readFileSync(file, "utf8").split("\n");
    let title = "";
    return lines.flatMap((line) => {
      if (line.startsWith("# ")) title = line.slice(2);
      return line.startsWith("{") ? [{ name: `${file.split("/").at(-1)}: ${title}`, text: line }] : [];
    });
  });
}

export function samples(): { name: string; text: string }[] {
  return files("samples", ".asl.json").map((file) => ({
    name: file.split("/").at(-1) ?? file,
    text: readFileSync(file, "utf8"),
  }));
}
