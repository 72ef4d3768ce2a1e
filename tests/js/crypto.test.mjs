// Choosing between the browser's cryptography and the bundled fallback.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckImpossible, loadCrypto } from "../../api/web/static/verify/index.js";
import { fromHex, toHex } from "../../api/web/static/verify/bytes.js";

// RFC 8032 section 7.1, test 3.
const KEY = fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
const MESSAGE = fromHex("af82");
const SIGNATURE = fromHex(
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
);
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const noEd25519 = { digest: (name, data) => globalThis.crypto.subtle.digest(name, data), importKey: () => Promise.reject(new Error("unsupported")) };
const lying = { digest: async () => new ArrayBuffer(32), importKey: async () => ({}), verify: async () => true };

for (const [source, options] of [
  ["browser", {}],
  ["bundled", { subtle: null }],
  ["mixed", { subtle: noEd25519 }],
  ["bundled", { subtle: lying }],
]) {
  test(`${source}: right answers (${Object.keys(options)})`, async () => {
    const crypto = await loadCrypto(options);
    assert.equal(crypto.source, source);
    assert.equal(toHex(await crypto.sha256(new Uint8Array())), EMPTY);
    assert.equal(await crypto.verifyEd25519(SIGNATURE, MESSAGE, KEY), true);
    assert.equal(await crypto.verifyEd25519(SIGNATURE, fromHex("af83"), KEY), false);
    assert.equal(await crypto.verifyEd25519(SIGNATURE.slice(1), MESSAGE, KEY), false);
    assert.equal(await crypto.verifyEd25519(SIGNATURE, MESSAGE, new Uint8Array(31)), false);
  });

  test(`${source}: a signature with S + L is refused (${Object.keys(options)})`, async () => {
    const crypto = await loadCrypto(options);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = SIGNATURE.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + order;
    const high = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n));
    assert.equal(await crypto.verifyEd25519(new Uint8Array([...SIGNATURE.slice(0, 32), ...high]), MESSAGE, KEY), false);
  });
}

test("neither works: the check is impossible, not failed", async () => {
  await assert.rejects(loadCrypto({ subtle: null, fallback: "data:text/javascript,export const x = 1" }), CheckImpossible);
});
