// node compile.mjs [--check]: Notary.sol to Notary.json with the contracts room's compiler.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const toolchain = path.join(here, "../../../contracts/toolchain/package.json");
const solc = createRequire(toolchain)("solc");
const input = {
  language: "Solidity",
  sources: { "Notary.sol": { content: readFileSync(path.join(here, "Notary.sol"), "utf8") } },
  settings: {
    evmVersion: "prague",
    optimizer: { enabled: true, runs: 1000 },
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
const compiled = output.contracts["Notary.sol"].Notary;
const text =
  JSON.stringify({ abi: compiled.abi, bytecode: "0x" + compiled.evm.bytecode.object }, null, 1) + "\n";
const target = path.join(here, "Notary.json");
if (process.argv[2] === "--check") {
  process.exit(readFileSync(target, "utf8") === text ? 0 : 1);
}
writeFileSync(target, text);
