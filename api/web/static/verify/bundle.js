// A proof bundle, checked in the five steps of docs/proof-format.md section 5.
import { canonicalBytes, canonicalText } from "./jcs.js";
import { equal, fromBase64, fromHex, toHex, utf8 } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { eventHashId } from "./hashing.js";
import { HASH_SIZE_BYTES, PATH_LENGTH_MAX, leafHash, rootFromPath } from "./merkle.js";
import { parseCheckpoint, parseNote, signersOf } from "./note.js";
import { parseProof } from "./proof.js";

export const FORMAT = "tallystick-proof/1";
export const STEPS = ["event", "batch", "leaf", "inclusion", "checkpoint"];
export const BATCH_COUNT_MAX = 10_000;
/** keccak-256 of "BatchAnchored(bytes32,bytes32,address,uint32,uint8)". */
export const BATCH_ANCHORED_TOPIC =
  "0xe0c60a01e52f7e99f9a0d395df16d05b0ff507497ccdcf809ba9e7a531f1c602";

const CHECKS = { event, batch, leaf, inclusion, checkpoint };

/**
 * `{outcome, steps: [{name, outcome, reason}], facts}` of a bundle, an object just parsed from JSON.
 *
 * `trust` is what `readTrust` gave, or null. Outcomes are "valid", "invalid", "unknown" and, for steps
 * behind a failed one, "not-checked". `facts` holds what the steps that passed have established.
 */
export async function verifyBundle(bundle, trust, crypto) {
  const state = { bundle, trust, crypto, facts: {} };
  const steps = [];
  for (const name of STEPS) {
    const failed = steps.some((step) => step.outcome === "invalid");
    steps.push(failed ? { name, outcome: "not-checked", reason: "" } : await take(name, state));
  }
  const outcomes = steps.map((step) => step.outcome);
  const outcome = ["invalid", "unknown"].find((bad) => outcomes.includes(bad)) ?? "valid";
  return { outcome, steps, facts: state.facts };
}

async function take(name, state) {
  try {
    return { name, ...(await CHECKS[name](state)) };
  } catch (error) {
    if (error instanceof CheckFailed) return { name, outcome: "invalid", reason: error.message };
    // A stack overflow or a type confusion is the bundle's doing: anything else is checked before.
    if (error instanceof RangeError || error instanceof TypeError) {
      return { name, outcome: "invalid", reason: "the proof is malformed" };
    }
    throw error;
  }
}

const passed = (reason = "") => ({ outcome: "valid", reason });

async function event({ bundle, crypto, facts }) {
  demand(bundle.format === FORMAT, `the format is not ${FORMAT}`);
  demand(isObject(bundle.event), "there is no event");
  facts.canonical = canonicalText(bundle.event); // bounds the depth before anything recurses
  const id = await eventHashId(crypto, bundle.event);
  demand(id === bundle.eventID, "the event's content does not give the event id");
  facts.eventID = id;
  facts.digest = toHex(await crypto.sha256(utf8(facts.canonical)));
  return passed();
}

async function batch({ bundle, crypto, facts }) {
  const { index, count, path } = bundle.batch ?? {};
  demand(isCount(count) && count >= 1 && count <= BATCH_COUNT_MAX, "the batch's count is out of range");
  demand(isCount(index) && index < count, "the index does not lie in the batch");
  demand(Array.isArray(path) && path.length <= PATH_LENGTH_MAX, "the batch's path is no list of hashes");
  const leaf = canonicalBytes({ digest: facts.digest, eventID: facts.eventID });
  facts.batchRoot = await rootFromPath(
    crypto,
    await leafHash(crypto, leaf),
    BigInt(index),
    BigInt(count),
    path.map(fromBase64),
  );
  return passed();
}

function leaf({ bundle, trust, facts }) {
  const { leaf: line } = bundle;
  demand(isObject(line) && line.type === "event", "the log's line is not about a contract event");
  const { topics, data } = line;
  demand(Array.isArray(topics) && topics.length === 4, "the log's line has not four topics");
  demand(topics[0] === BATCH_ANCHORED_TOPIC, "the log's line does not anchor a batch");
  demand(equal(wordOf(topics[1]), facts.batchRoot), "the log's line anchors another batch");
  const [count] = wordsOf(data, 2);
  demand(numberOf(count) === BigInt(bundle.batch.count), "the log's line gives another count");
  demand(isCount(line.blockTime) && isCount(line.blockNumber), "the log's line has no block");
  facts.organisation = organisationOf(topics[2]);
  facts.blockTime = line.blockTime;
  facts.blockNumber = line.blockNumber;
  facts.transactionHash = line.transactionHash;
  if (trust === null) return { outcome: "unknown", reason: "no trusted register to compare with" };
  demand(line.address === trust.contracts.provenance, "the log's line is of another register");
  return passed();
}

async function inclusion({ bundle, crypto, facts }) {
  const proof = parseProof(textOf(bundle.proof));
  const note = parseNote(proof.note);
  const checkpoint = parseCheckpoint(note.text);
  const hash = await leafHash(crypto, canonicalBytes(bundle.leaf));
  const root = await rootFromPath(crypto, hash, proof.index, checkpoint.size, proof.path);
  demand(equal(root, checkpoint.root), "the log's line is not below the checkpoint's root");
  Object.assign(facts, { note, checkpoint, logIndex: proof.index });
  return passed();
}

async function checkpoint({ trust, crypto, facts }) {
  const { checkpoint: { origin }, note } = facts;
  if (trust === null) {
    return { outcome: "unknown", reason: `no trusted key for the log ${origin} is at hand` };
  }
  demand(origin === trust.origin, `the log is ${origin}, trusted is ${trust.origin}`);
  const signers = await signersOf(crypto, note, trust.keys);
  const distinct = new Set([...signers].map((key) => toHex(key.publicKey)));
  facts.signers = [...signers].map((key) => key.name);
  demand(distinct.size >= trust.threshold, `${distinct.size} trusted keys signed, ${trust.threshold} must`);
  return passed();
}

function demand(condition, reason) {
  if (!condition) throw new CheckFailed(reason);
}

function textOf(value) {
  demand(typeof value === "string", "the log proof is no text");
  return value;
}

/** Bytes of a 32-byte word, `0x` and 64 hex digits. */
function wordOf(text) {
  return wordsOf(text, 1)[0];
}

function wordsOf(text, count) {
  demand(typeof text === "string" && text.startsWith("0x"), "a field of the log's line is not hex");
  const bytes = fromHex(text.slice(2));
  demand(bytes.length === count * HASH_SIZE_BYTES, "a field of the log's line has a wrong length");
  return Array.from({ length: count }, (_, i) => bytes.slice(i * HASH_SIZE_BYTES, (i + 1) * HASH_SIZE_BYTES));
}

const numberOf = (word) => word.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The organisation id: ASCII, left-aligned, zero-padded. */
function organisationOf(topic) {
  const text = String.fromCharCode(...wordOf(topic)).replace(/\0+$/, "");
  return /^[a-z0-9-]{1,32}$/.test(text) ? text : null;
}

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
