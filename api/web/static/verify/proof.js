// C2SP tlog-proof: an index, an inclusion path and the checkpoint it leads to, as text.
import { fromBase64 } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { PATH_LENGTH_MAX } from "./merkle.js";

const HEADER = "c2sp.org/tlog-proof@v1";

/** `{index, path, note}`; throws CheckFailed for any other spelling. */
export function parseProof(text) {
  const split = text.indexOf("\n\n");
  if (split < 0) throw new CheckFailed("the log proof has no checkpoint");
  const [header, ...lines] = text.slice(0, split).split("\n");
  if (header !== HEADER) throw new CheckFailed(`the log proof does not begin with ${HEADER}`);
  const match = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? "");
  if (!match || !Number.isSafeInteger(Number(match[1]))) {
    throw new CheckFailed("the log proof names no index");
  }
  if (lines.length > PATH_LENGTH_MAX) throw new CheckFailed("the path of the log proof is too long");
  return { index: Number(match[1]), path: lines.map(fromBase64), note: text.slice(split + 2) };
}
