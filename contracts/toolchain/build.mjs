#!/usr/bin/env node
// Compiles every contracts/<room>/<Contract>.sol into contracts/<room>/artifacts/<Contract>.json.
//
//   build.mjs           write the artifacts
//   build.mjs --check   compile and compare byte for byte; exit 1 where they differ
//   build.mjs --stage DIR   copy all sources into DIR, with a standard JSON input for each contract
//                           (DIR/<Contract>.json): what Slither wants to look at
//   … ROOM…             only these rooms, while others are at work on theirs
//
// Each contract is compiled alone with its imports, so that one room's change leaves the other
// rooms' artifacts (AST ids in the storage layout) untouched.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const solc = createRequire(import.meta.url)("solc");
const TOOLCHAIN = path.dirname(fileURLToPath(import.meta.url));
const CONTRACTS = path.dirname(TOOLCHAIN);
const LIBRARIES = path.join(TOOLCHAIN, "node_modules");

// No metadata in the bytecode: it depends on the code alone, not on comments or file names.
const SETTINGS = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 1000 },
  viaIR: false,
  metadata: { appendCBOR: false, bytecodeHash: "none" },
};
// Contracts near the size limit (EIP-170, 24,576 bytes): with fewer runs selectors and constants are put
// together where they are used instead of being pushed whole, for a few gas at each place.
const SHORT = new Set(["receipts/Receipts", "receivables/Receivables"]);
const SHORT_SETTINGS = { ...SETTINGS, optimizer: { enabled: true, runs: 200 } };
const OUTPUTS = [
  "abi",
  "evm.bytecode.object",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.immutableReferences",
  "storageLayout",
];

const located = (name) =>
  name.startsWith("@") ? path.join(LIBRARIES, name) : path.join(CONTRACTS, name);

function roots() {
  const found = [];
  for (const room of readdirSync(CONTRACTS, { withFileTypes: true })) {
    if (!room.isDirectory() || room.name === "toolchain") continue;
    for (const file of readdirSync(path.join(CONTRACTS, room.name))) {
      if (file.endsWith(".sol")) found.push({ room: room.name, contract: path.basename(file, ".sol") });
    }
  }
  return found.sort((a, b) => (`${a.room}/${a.contract}` < `${b.room}/${b.contract}` ? -1 : 1));
}

function sourcesOf(name, sources = {}) {
  if (name in sources) return sources;
  const content = readFileSync(located(name), "utf8");
  sources[name] = { content };
  for (const [, target] of content.matchAll(/^import\s[^;]*?"([^"]+)";/gms)) {
    sourcesOf(target.startsWith(".") ? path.posix.join(path.posix.dirname(name), target) : target, sources);
  }
  return sources;
}

const settingsOf = (name) => (SHORT.has(name.replace(/\.sol$/, "")) ? SHORT_SETTINGS : SETTINGS);

function standardInput(name, outputs) {
  const sources = Object.fromEntries(Object.entries(sourcesOf(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { language: "Solidity", sources, settings: { ...settingsOf(name), outputSelection: outputs } };
}

function compile(name, contract) {
  const input = standardInput(name, { [name]: { [contract]: OUTPUTS } });
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  // Warnings count as errors, save those inside libraries.
  const problems = (output.errors ?? []).filter(
    (e) => e.severity === "error" || !e.sourceLocation?.file.startsWith("@"),
  );
  if (problems.length) throw new Error(problems.map((e) => e.formattedMessage).join("\n"));
  return { input, unit: output.contracts[name][contract] };
}

function sourceHash(sources) {
  const hash = createHash("sha256");
  for (const [name, { content }] of Object.entries(sources)) {
    const digest = createHash("sha256").update(content).digest("hex");
    hash.update(`${digest}  ${name}\n`);
  }
  return hash.digest("hex");
}

function artifact({ room, contract }) {
  const name = `${room}/${contract}.sol`;
  const { input, unit } = compile(name, contract);
  const { bytecode, deployedBytecode } = unit.evm;
  return {
    contractName: contract,
    sourceName: name,
    sourceHash: sourceHash(input.sources),
    compiler: { version: solc.version(), settings: settingsOf(name) },
    abi: unit.abi,
    storageLayout: unit.storageLayout,
    immutableReferences: deployedBytecode.immutableReferences ?? {},
    deployedBytecode: `0x${deployedBytecode.object}`,
    bytecode: `0x${bytecode.object}`,
  };
}

const place = ({ room, contract }) => path.join(CONTRACTS, room, "artifacts", `${contract}.json`);
const shown = (file) => path.relative(CONTRACTS, file);

function write(root, text) {
  mkdirSync(path.dirname(place(root)), { recursive: true });
  writeFileSync(place(root), text);
  console.log(`wrote ${shown(place(root))}`);
}

function check(root, text) {
  const same = existsSync(place(root)) && readFileSync(place(root), "utf8") === text;
  console.log(`${same ? "same" : "DIFFERS"} ${shown(place(root))}`);
  return same;
}

function stage(directory, chosen) {
  for (const { room, contract } of chosen) {
    const input = standardInput(`${room}/${contract}.sol`, {
      "*": { "*": ["abi", "metadata", "devdoc", "userdoc", "evm.bytecode", "evm.deployedBytecode"], "": ["ast"] },
    });
    for (const [name, { content }] of Object.entries(input.sources)) {
      mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
      writeFileSync(path.join(directory, name), content);
    }
    writeFileSync(path.join(directory, `${contract}.json`), JSON.stringify(input));
  }
}

const given = process.argv.slice(2);
const mode = given[0]?.startsWith("--") ? given.shift() : undefined;
const directory = mode === "--stage" ? given.shift() : undefined;
const chosen = roots().filter(({ room }) => given.length === 0 || given.includes(room));
const unknown = given.filter((name) => !chosen.some(({ room }) => room === name));
if (unknown.length) {
  console.error(`no contract in the room ${unknown.join(", ")}`);
  process.exit(2);
}
if (mode === "--stage" && directory) {
  stage(directory, chosen);
} else if (mode === undefined || mode === "--check") {
  const results = chosen.map((root) => {
    const text = `${JSON.stringify(artifact(root), null, 1)}\n`;
    return mode ? check(root, text) : write(root, text) ?? true;
  });
  if (results.includes(false)) {
    console.error("The committed artifacts are not what the sources compile to: run contracts/toolchain/build.mjs");
    process.exit(1);
  }
} else {
  console.error("usage: build.mjs [--check | --stage DIR] [ROOM...]");
  process.exit(2);
}
