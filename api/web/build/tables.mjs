// Writes the tables that the Python rooms share as JSON into modules, since not every browser imports
// JSON. `node tables.mjs OUTDIR`; static/verify/tables holds the result.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../../../", import.meta.url);
const tables = {
  "gs1.js": "traceability/gs1/data/gs1.json",
  "cbv.js": "traceability/epcis/data/cbv.json",
};
const [, , outdir] = process.argv;
if (!outdir) {
  console.error("usage: node tables.mjs OUTDIR");
  process.exit(2);
}
for (const [name, source] of Object.entries(tables)) {
  const value = JSON.parse(readFileSync(new URL(source, root), "utf8"));
  // Words that are accepted in documents, yet never expanded, do not touch the hash.
  for (const vocabulary of Object.values(value.vocabularies ?? {})) delete vocabulary.accepted;
  const text = `// Made from ${source} by api/web/build/tables.mjs. Do not edit.\nexport default ${JSON.stringify(value)};\n`;
  writeFileSync(join(outdir, name), text);
}
