// Gives everything in dist/site two compressed forms and drops the plain one, but for the page itself: the server sends
// what is there and compresses nothing.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const SITE = new URL("dist/site/", import.meta.url).pathname;

for (const entry of readdirSync(SITE, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name === "index.html") continue;
  const path = join(entry.parentPath, entry.name);
  const plain = readFileSync(path);
  const brotli = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  };
  writeFileSync(`${path}.br`, brotliCompressSync(plain, brotli));
  writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
  rmSync(path);
}
