// C2SP tlog-proof: an index, an inclusion path and the checkpoint it leads to, as text.
import { fromBase64, isDecimal } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { HASH_SIZE_BYTES, PATH_LENGTH_MAX } from "./merkle.js";
import { NOTE_SIZE_BYTES_MAX } from "./note.js";

const HEADER = "c2sp.org/tlog-proof@v1";
const EXTRA_SIZE_BYTES_MAX = 64 * 1024;
const TEXT_SIZE_CHARS_MAX = NOTE_SIZE_BYTES_MAX + 2 * EXTRA_SIZE_BYTES_MAX;

/** `{index, path, note, extra}` (index a BigInt, extra whether there is such data); throws CheckFailed for any other spelling. */
export function parseProof(text) {
  if (text.length > TEXT_SIZE_CHARS_MAX) throw new CheckFailed("the log proof is too long");
  const split = text.indexOf("\n\n");
  if (split < 0) throw new CheckFailed("the log proof has no checkpoint");
  const [header, ...lines] = text.slice(0, split).split("\n");
  if (header !== HEADER) throw new CheckFailed(`the log proof does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? lines.shift().slice("extra ".length) : null;
  if (extra !== null) checkExtra(extra);
  const [, index] = /^index (.*)$/.exec(lines.shift() ?? "") ?? [];
  if (!isDecimal(index)) throw new CheckFailed("the log proof names no index");
  if (lines.length > PATH_LENGTH_MAX) throw new CheckFailed("the path of the log proof is too long");
  const path = lines.map(fromBase64);
  if (path.some((hash) => hash.length !== HASH_SIZE_BYTES)) {
    throw new CheckFailed("a hash in the log proof is not 32 bytes");
  }
  return { index: BigInt(index), path, note: text.slice(split + 2), extra: extra !== null };
}

/** Extra data is opaque and proves nothing; it must merely be well spelled. */
function checkExtra(text) {
  if (fromBase64(text).length > EXTRA_SIZE_BYTES_MAX) {
    throw new CheckFailed("the extra data of the log proof is too long");
  }
}
