// What a browser has seen of a log must go on; and what it keeps where it does not.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { compareHistory, loadCrypto, readConsistency, verifyConsistency } from "../../api/web/static/verify/index.js";

const crypto = await loadCrypto();
const ORIGIN = "ledger.example/demo";
const sha = (...parts) => new Uint8Array(createHash("sha256").update(Buffer.concat(parts.map(Buffer.from))).digest());
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const leaves = (count, salt = "") => Array.from({ length: count }, (_, index) => sha([0], `leaf ${index}${index >= 4 ? salt : ""}`));
const split = (size) => 2 ** Math.ceil(Math.log2(size) - 1);
const rootOf = (hashes) =>
  hashes.length === 1 ? hashes[0] : sha([1], rootOf(hashes.slice(0, split(hashes.length))), rootOf(hashes.slice(split(hashes.length))));

/** PROOF(m, D[n]) as RFC 6962 section 2.1.2 writes it. */
function proofOf(hashes, size, whole = true) {
  if (size === hashes.length) return whole ? [] : [rootOf(hashes)];
  const middle = split(hashes.length);
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)];
  return size <= middle ? [...proofOf(left, size, whole), rootOf(right)] : [...proofOf(right, size - middle, false), rootOf(left)];
}

const note = (hashes) => `${ORIGIN}\n${hashes.length}\n${base64(rootOf(hashes))}\n\n— ${ORIGIN} AAAAAAA=\n`;
const never = async () => assert.fail("no proof is needed");
const compare = (before, now, fetchPath = never) => compareHistory({ crypto, before, now, fetchPath, time: 1_700_000_000_000 });

test("every proof between two sizes is accepted, and none that is altered", async () => {
  const all = leaves(13);
  for (let later = 1; later <= 13; later += 1) {
    for (let earlier = 1; earlier <= later; earlier += 1) {
      const path = proofOf(all.slice(0, later), earlier);
      const roots = [rootOf(all.slice(0, earlier)), rootOf(all.slice(0, later))];
      const check = (changed) => verifyConsistency(crypto, BigInt(earlier), BigInt(later), changed, ...roots);
      await check(path);
      const flipped = path.map((hash, index) => (index === path.length - 1 ? hash.map((byte) => byte ^ 1) : hash));
      for (const bad of [[...path, roots[0]], path.slice(1), flipped].filter((one) => one.length !== path.length || one.length)) {
        await assert.rejects(check(bad), { name: "CheckFailed" }, `${earlier} ${later}`);
      }
    }
  }
  await assert.rejects(verifyConsistency(crypto, 0n, 1n, [], rootOf(all), rootOf(all)), { name: "CheckFailed" });
});

test("the first visit is remembered, the same again is the same", async () => {
  const now = note(leaves(5));
  assert.deepEqual(await compare(null, now), { kind: "first", remember: now, evidence: null });
  assert.equal((await compare("nonsense", now)).kind, "first");
  assert.equal((await compare(now.replaceAll("demo", "other"), now)).kind, "first");
  assert.deepEqual(await compare(now, now), { kind: "same", remember: now, evidence: null });
});

test("a log that has grown is proven to go on, and the newer state is remembered", async () => {
  const all = leaves(9);
  const [then, now] = [note(all.slice(0, 5)), note(all)];
  const asked = [];
  const fetchPath = async (from, to) => asked.push([from, to]) && proofOf(all, 5);
  assert.deepEqual(await compare(then, now, fetchPath), { kind: "consistent", remember: now, evidence: null });
  // Another server may be a little behind: then it is the other way round.
  assert.deepEqual(await compare(now, then, fetchPath), { kind: "consistent", remember: now, evidence: null });
  assert.deepEqual(asked, [[5n, 9n], [5n, 9n]]);
});

test("out of reach is unknown, and what was seen stays remembered", async () => {
  const all = leaves(9);
  const then = note(all.slice(0, 5));
  assert.deepEqual(await compare(then, note(all), async () => null), { kind: "unknown", remember: then, evidence: null });
});

test("another root at the same size is evidence without any server", async () => {
  const [then, now] = [note(leaves(6)), note(leaves(6, "changed"))];
  const { kind, remember, evidence } = await compare(then, now);
  assert.equal(kind, "broken");
  assert.equal(remember, then);
  assert.deepEqual(JSON.parse(evidence), {
    accused: null, first: then, format: "tallystick-evidence/1", foundAt: 1_700_000_000, kind: "same-size", origin: ORIGIN, proof: null, second: now,
  });
  assert.ok(evidence.startsWith('{"accused":null,"first":') && evidence.endsWith("}\n"));
});

test("a proof that does not lead there is evidence, the smaller checkpoint first", async () => {
  const then = note(leaves(6));
  const forked = leaves(9, "changed");
  const path = proofOf(forked, 6);
  for (const [before, now] of [[then, note(forked)], [note(forked), then]]) {
    const { kind, evidence } = await compare(before, now, async () => path);
    assert.equal(kind, "broken");
    const file = JSON.parse(evidence);
    assert.deepEqual([file.kind, file.first, file.second, file.proof], ["broken-proof", then, note(forked), path.map(base64)]);
  }
});

test("an answer to another question is no proof", () => {
  const body = { origin: ORIGIN, from: 1, to: 2, proof: [base64(leaves(1)[0])] };
  assert.equal(readConsistency(body, ORIGIN, 1n, 2n).length, 1);
  for (const change of [{ origin: "x" }, { from: 2 }, { to: 3 }, { proof: "x" }, { proof: ["x"] }, { proof: [base64([1])] }, { proof: Array(127).fill(body.proof[0]) }]) {
    assert.equal(readConsistency({ ...body, ...change }, ORIGIN, 1n, 2n), null);
  }
  assert.equal(readConsistency(null, ORIGIN, 1n, 2n), null);
});
