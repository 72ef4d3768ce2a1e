// Whether what is shown now continues what was seen before (docs/proof-format.md section 11).
import { equal, toBase64 } from "./bytes.js";
import { canonicalText } from "./jcs.js";
import { CheckFailed } from "./errors.js";
import { parseCheckpoint, parseNote } from "./note.js";
import { verifyConsistency } from "./consistency.js";

export const EVIDENCE_FORMAT = "tallystick-evidence/1";
export const EVIDENCE_SUFFIX = ".tally-evidence.json";

/**
 * Compares a checkpoint (signed note) that was found duly signed with the one remembered, null for none.
 *
 * `fetchPath(size1, size2)` gives the consistency proof between them (BigInts), or null where none could
 * be had. Answers `{kind, remember, evidence}`: `kind` is "first", "same", "consistent", "unknown" (no
 * proof to be had) or "broken"; `remember` is the note to keep, `evidence` the text of the evidence file
 * of a broken history. What is remembered was checked when it was seen; who signs may change since, the
 * history may not.
 */
export async function compareHistory({ crypto, before, now, fetchPath, time = Date.now() }) {
  const present = parseCheckpoint(parseNote(now).text);
  const { origin } = present;
  const known = remembered(origin, before);
  if (known === null) return { kind: "first", remember: now, evidence: null };
  const then = { note: before, ...known };
  const today = { note: now, ...present };
  const [older, newer] = known.size <= present.size ? [then, today] : [today, then];
  if (older.size === newer.size) {
    if (equal(older.root, newer.root)) return { kind: "same", remember: before, evidence: null };
    return { kind: "broken", remember: before, evidence: evidenceOf("same-size", before, now, null, origin, time) };
  }
  if (older.size === 0n) return { kind: "consistent", remember: newer.note, evidence: null };
  const path = await fetchPath(older.size, newer.size);
  if (path === null) return { kind: "unknown", remember: before, evidence: null };
  try {
    await verifyConsistency(crypto, older.size, newer.size, path, older.root, newer.root);
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
    const evidence = evidenceOf("broken-proof", older.note, newer.note, path, origin, time);
    return { kind: "broken", remember: before, evidence };
  }
  return { kind: "consistent", remember: newer.note, evidence: null };
}

/** The checkpoint of a remembered note, null where it is none of this log. */
function remembered(origin, note) {
  if (note === null) return null;
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    return checkpoint.origin === origin ? checkpoint : null;
  } catch (error) {
    if (error instanceof CheckFailed) return null;
    throw error;
  }
}

/** The file that `tally verify` reads, as one text. */
function evidenceOf(kind, first, second, path, origin, time) {
  const fields = {
    format: EVIDENCE_FORMAT,
    kind,
    origin,
    first,
    second,
    proof: path === null ? null : path.map(toBase64),
    accused: null,
    foundAt: Math.floor(time / 1000),
  };
  return `${canonicalText(fields)}\n`;
}
