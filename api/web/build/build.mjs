// Bundles noble.js and its packages into one module. `node build.mjs OUTFILE`
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const [, , outfile] = process.argv;
if (!outfile) {
  console.error("usage: node build.mjs OUTFILE");
  process.exit(2);
}
const version = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const names = ["@noble/hashes", "@noble/ed25519"];

await build({
  entryPoints: [new URL("noble.js", import.meta.url).pathname],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2020",
  minify: true,
  charset: "ascii",
  legalComments: "none",
  banner: {
    js:
      "/*! Built by api/web/build from " +
      names.map((name) => `${name} ${version(name)}`).join(" and ") +
      " (MIT, (c) Paul Miller, paulmillr.com). Do not edit. */",
  },
});
