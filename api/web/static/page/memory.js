// What this browser has seen of each log: the newest checkpoint, so that no later visit is told another
// history. Private windows may forbid it: then every visit is the first.
import { compareHistory, readConsistency } from "../verify/index.js";

const STORED_UNDER = "tallystick-seen:";
const NOTE_SIZE_CHARS_MAX = 64 * 1024;
const TIMEOUT_MS = 10_000;
const PATH_SIZE_CHARS_MAX = 16 * 1024;

/**
 * `{kind, evidence}` of the duly signed checkpoints (signed notes) that one answer brought, all of one
 * log: the newest beside the one remembered, and those of one size beside each other. Remembers the
 * newest once it is known to continue what was seen. Null where there is none, or no memory for it.
 */
export async function checkHistory(crypto, notes) {
  const different = notes.filter(({ text }, index) => notes.findIndex((note) => note.text === text) === index);
  different.sort((left, right) => (left.checkpoint.size < right.checkpoint.size ? 1 : -1));
  const [newest] = different;
  if (!newest) return null;
  const { origin } = newest.checkpoint;
  for (const [index, now] of different.entries()) {
    const beside = different.slice(0, index).find(({ checkpoint }) => checkpoint.size === now.checkpoint.size);
    const pair = beside && (await compareHistory({ crypto, before: beside.text, now: now.text, fetchPath: async () => null }));
    if (pair && pair.kind === "broken") return pair;
  }
  const compared = await compareHistory({ crypto, before: recall(origin), now: newest.text, fetchPath: (from, to) => fetchPath(origin, from, to) });
  if (compared.kind === "broken") return compared;
  return remember(origin, compared.remember) || compared.kind !== "first" ? compared : null;
}

async function fetchPath(origin, from, to) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(`/log/consistency?from=${from}&to=${to}`, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: abort.signal });
    if (!response.ok) return null;
    const text = await response.text();
    return text.length > PATH_SIZE_CHARS_MAX ? null : readConsistency(JSON.parse(text), origin, from, to);
  } catch {
    return null; // out of reach is unknown, never broken
  } finally {
    clearTimeout(timer);
  }
}

function recall(origin) {
  try {
    const note = localStorage.getItem(STORED_UNDER + origin);
    return note !== null && note.length <= NOTE_SIZE_CHARS_MAX ? note : null;
  } catch {
    return null;
  }
}

function remember(origin, note) {
  try {
    if (localStorage.getItem(STORED_UNDER + origin) !== note) localStorage.setItem(STORED_UNDER + origin, note);
    return true;
  } catch {
    return false; // then the next visit is a first one again
  }
}
