// The trust file (docs/proof-format.md section 6): whose signatures count, for which log.
import { CheckFailed } from "./errors.js";
import { parseVerifierKey } from "./note.js";

export const FORMAT = "tallystick-trust/1";
const KEYS_MAX = 128;

/** `{name, origin, keys, threshold, contracts, source}`; throws CheckFailed for what cannot be trusted. */
export async function readTrust(crypto, source) {
  const { format, origin, keys, threshold, contracts } = source ?? {};
  demand(format === FORMAT, `its format is not ${FORMAT}`);
  demand(typeof origin === "string" && origin !== "", "it names no log");
  demand(Array.isArray(keys) && keys.length >= 1 && keys.length <= KEYS_MAX, "it has no keys");
  demand(keys.every((key) => typeof key === "string"), "a key is not a text");
  demand(Number.isSafeInteger(threshold) && threshold >= 1, "its threshold is not at least 1");
  demand(isAddress(contracts?.provenance), "it names no Provenance contract");
  const read = await Promise.all(keys.map((key) => parseVerifierKey(crypto, key)));
  return { name: String(source.name ?? ""), origin, keys: read, threshold, contracts, source };
}

const isAddress = (value) => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);

function demand(condition, reason) {
  if (!condition) throw new CheckFailed(`the trust file cannot be used: ${reason}`);
}
