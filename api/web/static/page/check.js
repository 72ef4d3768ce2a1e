// Checking a whole answer: every bundle, and whether what they prove concerns the scanned item at all.
import { CheckFailed, CheckImpossible, loadCrypto, readTrust, verifyBundle } from "../verify/index.js";
import { equal, toHex } from "../verify/bytes.js";
import { checkHistory } from "./memory.js";
import { concerned } from "./model/relevance.js";

/**
 * `{outcome, reason, entries, leftOut, trust, source, history, signed}` where each entry of the answer's
 * journey that concerns `identifier` has its `result` of the check. `history` is what `checkHistory` gave:
 * a broken one makes the whole invalid. `signed` names the members that signed the newest checkpoint.
 * `progress(done, count)` is called on the way.
 */
export async function checkAnswer(answer, identifier, progress = () => {}) {
  let crypto;
  try {
    crypto = remembering(await loadCrypto());
  } catch (error) {
    if (!(error instanceof CheckImpossible)) throw error;
    return unchecked(answer, identifier, error.message);
  }
  const trust = await trustOf(answer, crypto);
  const checked = [];
  for (const [index, entry] of answer.journey.entries()) {
    checked.push({ ...entry, result: await checkEntry(entry, trust, crypto) });
    progress(index + 1, answer.journey.length);
  }
  const history = await checkHistory(crypto, signedNotes(checked));
  const found = verdict(checked, identifier, { trust, source: crypto.source, history, signed: signedBy(checked) });
  return history?.kind === "broken" ? { ...found, outcome: "invalid" } : found;
}

/** The checkpoints that enough members have signed. */
const signedNotes = (checked) =>
  checked
    .filter(({ result }) => result.outcome === "valid")
    .map(({ result: { facts } }) => ({ text: facts.noteText, checkpoint: facts.checkpoint }));

/** The members that signed the newest checkpoint of all, as far as the trust file knows them. */
function signedBy(checked) {
  const facts = checked.map(({ result }) => result.facts).filter(({ members }) => members);
  facts.sort((left, right) => (left.checkpoint.size < right.checkpoint.size ? 1 : -1));
  return facts[0]?.members ?? [];
}

/** All bundles of one answer bear the same checkpoint: its signatures are checked once. */
function remembering(crypto) {
  const known = new Map();
  return {
    ...crypto,
    async verifyEd25519(signature, message, publicKey) {
      const key = toHex(signature) + toHex(publicKey);
      if (!known.has(key) || !equal(known.get(key).message, message)) {
        known.set(key, { message, verified: await crypto.verifyEd25519(signature, message, publicKey) });
      }
      return known.get(key).verified;
    },
  };
}

async function trustOf(answer, crypto) {
  try {
    return await readTrust(crypto, answer.trust);
  } catch (error) {
    if (error instanceof CheckFailed) return null;
    throw error;
  }
}

async function checkEntry(entry, trust, crypto) {
  const { bundle } = entry;
  if (typeof bundle !== "object" || bundle === null) {
    return { outcome: "invalid", steps: [{ name: "event", outcome: "invalid", reason: "there is no proof" }], facts: {} };
  }
  return verifyBundle(bundle, trust, crypto);
}

function unchecked(answer, identifier, reason) {
  const readable = answer.journey.filter(({ bundle }) => typeof bundle?.event === "object" && bundle.event);
  const entries = readable.map((entry) => ({
    ...entry,
    result: { outcome: "not-checked", steps: [], facts: {} },
  }));
  return { ...verdict(entries, identifier, { trust: null, source: null, history: null, signed: [] }), reason };
}

/** A statement has one place in the log: an answer that gives it several times still says it once. */
export function withoutRepeats(checked) {
  const seen = new Set();
  return checked.filter(({ bundle, result: { outcome, facts } }) => {
    if (outcome !== "valid" && outcome !== "unknown") return true;
    const place = `${facts.logIndex} ${bundle.batch.index}`;
    return !seen.has(place) && seen.add(place);
  });
}

function verdict(checked, identifier, rest) {
  const { related, leftOut } = concerned(withoutRepeats(checked), identifier);
  const outcomes = new Set(related.map((entry) => entry.result.outcome));
  const worst = ["invalid", "not-checked", "unknown"].find((outcome) => outcomes.has(outcome));
  // An answer without one proven word about the scanned item is an answer to something else.
  const other = !related.some((entry) => entry.direct);
  const outcome = other ? "invalid" : (worst ?? "valid");
  return { outcome, other, reason: "", entries: related, leftOut, ...rest };
}
