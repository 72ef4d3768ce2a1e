// SHA-256 and Ed25519: the browser's own where it has them, else the bundled fallback.
//
// SubtleCrypto exists only in a secure context (https or localhost), and Ed25519 in it is younger than
// SHA-256, so each is tried with a known answer, and falls back on its own.
import { concat, equal, fromHex } from "./bytes.js";
import { CheckImpossible } from "./errors.js";

const FALLBACK = new URL("../vendor/noble.js", import.meta.url);

// FIPS 180-4 example "abc"; RFC 8032 section 7.1, test 2.
const ABC = Uint8Array.of(0x61, 0x62, 0x63);
const ABC_SHA256 = fromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
const TEST_KEY = fromHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const TEST_MESSAGE = Uint8Array.of(0x72);
const TEST_SIGNATURE = fromHex(
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
);
const GROUP_ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

/**
 * `{sha256(bytes), verifyEd25519(signature, message, publicKey), source}`, both functions async.
 * `source` is "browser", "bundled" or "mixed". Throws CheckImpossible where neither works.
 */
export async function loadCrypto({ subtle = globalThis.crypto?.subtle, fallback = FALLBACK } = {}) {
  const own = { sha256: await ownSha256(subtle), verifyEd25519: await ownEd25519(subtle) };
  if (own.sha256 && own.verifyEd25519) return { ...own, source: "browser" };
  const bundled = await loadFallback(fallback);
  const chosen = {
    sha256: own.sha256 ?? bundled.sha256,
    verifyEd25519: own.verifyEd25519 ?? bundled.verifyEd25519,
  };
  return { ...chosen, source: own.sha256 || own.verifyEd25519 ? "mixed" : "bundled" };
}

async function ownSha256(subtle) {
  if (!subtle) return null;
  const sha256 = async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes));
  return (await works(async () => equal(await sha256(ABC), ABC_SHA256))) ? sha256 : null;
}

async function ownEd25519(subtle) {
  if (!subtle) return null;
  const verify = async (signature, message, publicKey) => {
    const key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return subtle.verify({ name: "Ed25519" }, key, signature, message);
  };
  return (await works(() => knownAnswer(verify))) ? strict(verify) : null;
}

async function loadFallback(address) {
  try {
    const noble = await import(address);
    const sha256 = async (bytes) => noble.sha256(bytes);
    const verify = async (...args) => noble.verifyEd25519(...args);
    if (!equal(await sha256(ABC), ABC_SHA256) || !(await knownAnswer(verify))) {
      throw new Error("wrong answer");
    }
    return { sha256, verifyEd25519: strict(verify) };
  } catch {
    throw new CheckImpossible("this browser offers no SHA-256 and Ed25519 that work");
  }
}

const knownAnswer = async (verify) =>
  (await verify(TEST_SIGNATURE, TEST_MESSAGE, TEST_KEY)) &&
  !(await verify(TEST_SIGNATURE, concat(TEST_MESSAGE, TEST_MESSAGE), TEST_KEY));

/** The same verdict everywhere: wrong lengths and S beyond the group order (RFC 8032 5.1.7) are false. */
function strict(verify) {
  return async (signature, message, publicKey) => {
    if (signature.length !== 64 || publicKey.length !== 32) return false;
    const s = signature.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    if (s >= GROUP_ORDER) return false;
    try {
      return await verify(signature, message, publicKey);
    } catch {
      return false; // not a point of the curve
    }
  };
}

async function works(attempt) {
  try {
    return await attempt();
  } catch {
    return false;
  }
}
