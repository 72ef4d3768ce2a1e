// A proof bundle, checked by the five steps of docs/proof-format.md section 5, after its format.
import { canonicalBytes, canonicalText, demandSafeNumbers, parseCanonicalLine } from "./jcs.js";
import { equal, fromBase64, fromHex, toHex } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { eventHashId } from "./hashing.js";
import { membersOf } from "./members.js";
import { HASH_SIZE_BYTES, leafHash, rootFromPath } from "./merkle.js";
import { parseCheckpoint, parseNote, signersOf } from "./note.js";
import { parseProof } from "./proof.js";

export const FORMAT = "tallystick-proof/1";
export const FILE_SUFFIX = ".tally-proof.json";
export const STEPS = ["format", "event", "batch", "leaf", "inclusion", "checkpoint"];
export const BUNDLE_SIZE_BYTES_MAX = 8 << 20;
export const BATCH_COUNT_MAX = 10_000;
/** keccak-256 of "BatchAnchored(bytes32,bytes32,address,uint32,uint8)". */
export const BATCH_ANCHORED_TOPIC =
  "0xe0c60a01e52f7e99f9a0d395df16d05b0ff507497ccdcf809ba9e7a531f1c602";

const CHECKS = { format, event, batch, leaf, inclusion, checkpoint };
const VERSION_FAMILY = "tallystick-proof/";
const BATCH_PATH_LENGTH_MAX = 14; // of 10,000 leaves
const VISIBILITY_MAX = 2n;
const TIME_MAX = 253_402_300_799;
const NAMES = ["batch", "event", "eventID", "format", "leaf", "proof"];
const BATCH_NAMES = ["count", "index", "path"];
const LEAF_NAMES = [
  "address", "blockNumber", "blockTime", "data", "logIndex", "topics", "transactionHash", "type",
];

/** A step found nothing false, but cannot decide: its outcome is "unknown" or "not-checked". */
class Undecided extends Error {
  constructor(outcome, reason) {
    super(reason);
    this.outcome = outcome;
  }
}

/**
 * `{outcome, steps: [{name, outcome, reason}], facts}` of a bundle, an object just parsed from JSON.
 *
 * `trust` is what `readTrust` gave, or null. Outcomes are "valid", "invalid", "unknown" and
 * "not-checked" (a format of another version; a step behind a failed one). `facts` holds what the steps
 * that passed have established.
 */
export const verifyBundle = (bundle, trust, crypto) => verify({ bundle, trust, crypto, facts: {} });

/** The same for a file's bytes, every one of which counts: one spelling only is accepted. */
export const verifyFile = (bytes, trust, crypto) => verify({ bytes, trust, crypto, facts: {} });

async function verify(state) {
  const steps = [];
  for (const name of STEPS) {
    const failed = steps.some((step) => ["invalid", "not-checked"].includes(step.outcome));
    steps.push(failed ? { name, outcome: "not-checked", reason: "" } : await take(name, state));
  }
  const outcomes = steps.map((step) => step.outcome);
  const worst = ["invalid", "not-checked", "unknown"].find((one) => outcomes.includes(one));
  return { outcome: worst ?? "valid", steps, facts: state.facts };
}

async function take(name, state) {
  try {
    await CHECKS[name](state);
    return { name, outcome: "valid", reason: "" };
  } catch (error) {
    if (error instanceof Undecided) return { name, outcome: error.outcome, reason: error.message };
    if (error instanceof CheckFailed) return { name, outcome: "invalid", reason: error.message };
    // A stack overflow or a type confusion is the bundle's doing: anything else is checked before.
    if (error instanceof RangeError || error instanceof TypeError) {
      return { name, outcome: "invalid", reason: "the proof is malformed" };
    }
    throw error;
  }
}

function format(state) {
  if (state.bytes) {
    demand(state.bytes.length <= BUNDLE_SIZE_BYTES_MAX, "the file is too large");
    state.bundle = parseCanonicalLine(state.bytes);
  } else {
    canonicalText(state.bundle); // bounds the depth before anything recurses
    demandSafeNumbers(state.bundle);
  }
  const { bundle } = state;
  demand(isObject(bundle), "this is no proof bundle");
  const version = bundle.format;
  if (version !== FORMAT && typeof version === "string" && version.startsWith(VERSION_FAMILY)) {
    throw new Undecided("not-checked", `the bundle is of another version; this page knows ${FORMAT}`);
  }
  demand(version === FORMAT, "this is no proof bundle");
  demand(hasNames(bundle, NAMES), "members of the bundle are missing or too many");
  demand(typeof bundle.eventID === "string" && typeof bundle.proof === "string", "a text is missing");
  demand(isObject(bundle.event) && isObject(bundle.leaf), "the event or the log's line is missing");
  state.path = batchPath(bundle.batch);
}

function batchPath(place) {
  demand(isObject(place) && hasNames(place, BATCH_NAMES), "the place in the batch is malformed");
  const { index, count, path } = place;
  demand(isCount(count) && count >= 1 && count <= BATCH_COUNT_MAX, "the batch's count is out of range");
  demand(isCount(index) && index < count, "the index does not lie in the batch");
  demand(Array.isArray(path) && path.length <= BATCH_PATH_LENGTH_MAX, "the batch's path is malformed");
  const hashes = path.map(fromBase64);
  demand(hashes.every((hash) => hash.length === HASH_SIZE_BYTES), "a hash of the batch's path is not 32 bytes");
  return hashes;
}

async function event({ bundle, crypto, facts }) {
  const written = Object.keys(bundle.event);
  demand(!written.includes("recordTime"), "the event claims a record time, which only the log can tell");
  const id = await eventHashId(crypto, bundle.event);
  demand(id === bundle.eventID, "the event's content does not give the event id");
  facts.eventID = id;
  facts.digest = toHex(await crypto.sha256(canonicalBytes(bundle.event)));
}

async function batch({ bundle, crypto, facts, path }) {
  const { index, count } = bundle.batch;
  const hash = await leafHash(crypto, canonicalBytes({ digest: facts.digest, eventID: facts.eventID }));
  facts.batchRoot = await rootFromPath(crypto, hash, BigInt(index), BigInt(count), path);
}

function leaf({ bundle, trust, facts }) {
  const { leaf: line } = bundle;
  demand(hasNames(line, LEAF_NAMES) && line.type === "event", "the log's line is not about a contract event");
  const { topics, data } = line;
  demand([line.blockNumber, line.blockTime, line.logIndex].every(isCount), "a number of the log's line is malformed");
  bytesOf(line.address, 20);
  bytesOf(line.transactionHash, HASH_SIZE_BYTES);
  demand(Array.isArray(topics) && topics.length === 4, "the log's line has not four topics");
  const [topic, root, organisation, submitter] = topics.map((text) => bytesOf(text, HASH_SIZE_BYTES));
  demand(equal(topic, bytesOf(BATCH_ANCHORED_TOPIC, HASH_SIZE_BYTES)), "the log's line does not anchor a batch");
  demand(submitter.slice(0, 12).every((byte) => byte === 0), "the log's line names no submitter");
  const words = bytesOf(data, 2 * HASH_SIZE_BYTES);
  demand(equal(root, facts.batchRoot), "the log's line anchors another batch");
  const count = numberOf(words.slice(0, HASH_SIZE_BYTES));
  demand(count === BigInt(bundle.batch.count), "the log's line gives another count");
  demand(numberOf(words.slice(HASH_SIZE_BYTES)) <= VISIBILITY_MAX, "the visibility is unknown");
  const { blockTime, blockNumber, transactionHash } = line;
  Object.assign(facts, { organisation: organisationOf(organisation), blockTime, blockNumber, transactionHash });
  demand(blockTime <= TIME_MAX, "the block's time is after the year 9999");
  if (!applies(trust, bundle)) throw new Undecided("unknown", "which register to believe is not known");
  const since = trust.provenance.get(line.address);
  demand(since !== undefined, `the log's line is of the register ${line.address}, which the trust file does not name: the proof is false, or the members have voted a new register since, and a newer trust file is needed`);
  demand(blockNumber >= since, `the register ${line.address} counts from block ${since} on, where the members named it`);
}

async function inclusion({ bundle, crypto, facts }) {
  const proof = parseProof(bundle.proof);
  demand(!proof.extra, "the log proof has extra data, which nothing signs");
  const note = parseNote(proof.note);
  const checkpoint = parseCheckpoint(note.text);
  const hash = await leafHash(crypto, canonicalBytes(bundle.leaf));
  const root = await rootFromPath(crypto, hash, proof.index, checkpoint.size, proof.path);
  demand(equal(root, checkpoint.root), "the log's line is not below the checkpoint's root");
  Object.assign(facts, { note, checkpoint, logIndex: proof.index, noteText: proof.note });
}

async function checkpoint({ trust, crypto, facts }) {
  const { checkpoint: { origin }, note } = facts;
  if (trust === null) throw new Undecided("unknown", `no trusted key of the log ${origin} is at hand`);
  if (trust.origin !== origin) {
    throw new Undecided("unknown", `the log is ${origin}; what is trusted is about ${trust.origin}`);
  }
  const signers = await signersOf(crypto, note, trust.keys);
  facts.signers = [...signers].map((key) => key.name);
  const members = membersOf(trust.keys, trust.origin);
  facts.members = members.names(signers);
  const { threshold } = trust;
  if (facts.members.length < threshold) {
    throw new Undecided("unknown", `${facts.members.length} of ${members.count} members have signed, ${threshold} must`);
  }
}

/** Whether what is trusted is about the log that the proof names; a proof that names none fails later. */
function applies(trust, bundle) {
  if (trust === null) return false;
  try {
    return parseCheckpoint(parseNote(parseProof(bundle.proof).note).text).origin === trust.origin;
  } catch (error) {
    if (error instanceof CheckFailed) return false;
    throw error;
  }
}

function demand(condition, reason) {
  if (!condition) throw new CheckFailed(reason);
}

/** Bytes of `0x` and lower-case hex digits. */
function bytesOf(text, size) {
  demand(typeof text === "string" && text.startsWith("0x"), "a field of the log's line is not hex");
  const bytes = fromHex(text.slice(2));
  demand(bytes.length === size, "a field of the log's line has a wrong length");
  return bytes;
}

const numberOf = (word) => word.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The organisation id: ASCII, left-aligned, zero-padded. */
function organisationOf(word) {
  const text = String.fromCharCode(...word).replace(/\0+$/, "");
  demand(/^[a-z0-9-]{1,32}$/.test(text), "the log's line names no organisation");
  return text;
}

const hasNames = (value, names) => {
  const keys = Object.keys(value);
  return keys.length === names.length && keys.every((key) => names.includes(key));
};
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
