// The trust file (docs/proof-format.md section 6): whose signatures count, for which log.
import { toHex } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { membersOf } from "./members.js";
import { parseVerifierKey } from "./note.js";

export const FORMAT = "tallystick-trust/1";
const KEYS_MAX = 128;
const NAMES = ["chainId", "contracts", "format", "keys", "name", "origin", "threshold"];
const PIN = "genesis"; // may be left out: it is for nodes that join, and only read here
const CONTRACTS = ["consortium", "provenance"];

/** `{name, origin, keys, threshold, members, contracts, source}` (`members` their number); throws CheckFailed for what cannot be trusted. */
export async function readTrust(crypto, source) {
  demand(isObject(source) && source.format === FORMAT, `its format is not ${FORMAT}`);
  const names = Object.hasOwn(source, PIN) ? [...NAMES, PIN] : NAMES;
  demand(hasNames(source, names), "members are missing or too many");
  demand(names === NAMES || isPin(source[PIN]), "its genesis is malformed");
  const { name, origin, keys, threshold, contracts, chainId } = source;
  demand(isLine(name) && isLine(origin), "its name or origin is not a line of text");
  demand(Array.isArray(keys) && keys.length >= 1 && keys.length <= KEYS_MAX, "it has no keys");
  demand(keys.every((key) => typeof key === "string"), "a key is not a text");
  demand(Number.isSafeInteger(chainId) && chainId >= 1, "its chain id is not a number");
  demand(isObject(contracts) && hasNames(contracts, CONTRACTS), "its contracts are not two");
  demand(Object.values(contracts).every(isAddress), "a contract's address is malformed");
  const read = await Promise.all(keys.map((key) => parseVerifierKey(crypto, key)));
  demand(new Set(read.map(idOf)).size === read.length, "the same key stands in it twice");
  const members = membersOf(read, origin).count;
  demand(Number.isSafeInteger(threshold) && threshold >= 1, "its threshold is not at least 1");
  demand(threshold <= members, "its threshold can never be met");
  return { name, origin, keys: read, threshold, members, contracts, source };
}

/** What a signature line tells of its key: two keys with the same could not be told apart. */
const idOf = ({ name, id }) => `${name} ${toHex(id)}`;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isAddress = (value) => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);
const isHash = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const isPin = (value) =>
  isObject(value) &&
  (hasNames(value, ["document"]) || hasNames(value, ["document", "engine"])) &&
  Object.values(value).every(isHash);
const isLine = (value) => typeof value === "string" && /^[^\u0000-\u001f\u007f]{1,255}$/u.test(value);
const hasNames = (value, names) => {
  const keys = Object.keys(value);
  return keys.length === names.length && keys.every((key) => names.includes(key));
};

function demand(condition, reason) {
  if (!condition) throw new CheckFailed(`the trust file cannot be used: ${reason}`);
}
