// The page must also run in browsers of 2021, which know neither Object.hasOwn nor Array.prototype.at.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../api/web/static/", import.meta.url);

test("an older browser comes to the same event id", async () => {
  const event = {
    type: "ObjectEvent",
    action: "OBSERVE",
    epcList: ["urn:epc:id:sgtin:4012345.011122.25"],
    eventTime: "2026-01-01T00:00:00Z",
    eventTimeZoneOffset: "+00:00",
  };
  delete Object.hasOwn;
  delete Array.prototype.at;
  const { eventHashId, identify, loadCrypto } = await import("../../api/web/static/verify/index.js");
  const id = await eventHashId(await loadCrypto(), event);
  assert.match(id, /^ni:\/\/\/sha-256;[0-9a-f]{64}\?ver=CBV2\.0$/);
  assert.equal(identify("https://id.gs1.org/01/09521002000016/10/L/21/A1").qualifiers.length, 2);
  assert.equal([1, 2].at(-1), 2);
  assert.equal(Object.hasOwn(Object.create({ a: 1 }), "a"), false);
});

test("nothing younger than the shim knows is used", () => {
  const young = /\.(findLast|findLastIndex|toSorted|toReversed|toSpliced|with|replaceAll|groupBy)\(|structuredClone|\?\?=|\|\|=|&&=|AbortSignal\.(any|timeout)|Promise\.(withResolvers|any)|^\s*(static|#)|\(\?<[=!]/m;
  const files = readdirSync(STATIC, { recursive: true }).map(String);
  const ours = files.filter((name) => name.endsWith(".js") && !name.startsWith("vendor") && !name.includes("tables"));
  assert.ok(ours.length > 30);
  for (const name of ours) assert.doesNotMatch(readFileSync(new URL(name, STATIC), "utf8"), young, name);
});
