// Sets what `cargo bench --bench typical -- --json` measured (a file of it is the argument) beside the npm package, and
// prints a table in Markdown.

import { readFileSync } from "node:fs";
import jsonata from "jsonata";

const ROUNDS = 15;
const ROUND_MS = 10;

const typical = JSON.parse(readFileSync(new URL("../../crates/expr/benches/typical.json", import.meta.url)));
const rows = JSON.parse(readFileSync(process.argv[2]));

/** Microseconds of one call, in the fastest round; the first rounds warm the compiler up. */
async function micros(call) {
  let fastest = Infinity;
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < ROUND_MS) {
      for (let i = 0; i < 16; i++) await call();
      calls += 16;
    }
    fastest = Math.min(fastest, ((performance.now() - start) * 1000) / calls);
  }
  return fastest;
}

const small = typical.input;
const large = { ...small, archive: Array.from({ length: typical.archive_copies }, () => small.items) };
const smallBytes = Math.min(...rows.map((row) => row.inputBytes));

const number = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const line = (cells) => console.log(`| ${cells.join(" | ")} |`);

const head = ["compile: Stepwell", "engine", "npm", "evaluate: Stepwell", "engine", "engine, converting", "npm", "npm ÷ Stepwell"];
line(["input", "expression", ...head]);
line(["---", "---", ...head.map(() => "---:")]);
for (const row of rows) {
  const input = row.inputBytes === smallBytes ? small : large;
  const bindings = { ...typical.variables, states: { input, context: {} } };
  const expression = jsonata(row.expression);
  const compile = await micros(() => jsonata(row.expression));
  const evaluate = await micros(() => expression.evaluate(undefined, bindings));
  line([
    `${Math.round(row.inputBytes / 1024)} KiB`,
    row.name,
    ...row.compile.map(number),
    number(compile),
    ...row.evaluate.map(number),
    number(evaluate),
    `${number(evaluate / row.evaluate[0])} ×`,
  ]);
}
