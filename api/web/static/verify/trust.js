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
const DIRECTORY = "directory"; // may be left out
const VERSIONS_MAX = 32;

/**
 * `{name, origin, keys, threshold, members, provenance, source}` (`members` their number, `provenance` a Map
 * from address to the first block that counts); throws CheckFailed for what cannot be trusted.
 */
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
  const provenance = readContracts(contracts);
  const read = await Promise.all(keys.map((key) => parseVerifierKey(crypto, key)));
  demand(new Set(read.map(idOf)).size === read.length, "the same key stands in it twice");
  const members = membersOf(read, origin).count;
  demand(Number.isSafeInteger(threshold) && threshold >= 1, "its threshold is not at least 1");
  demand(threshold <= members, "its threshold can never be met");
  return { name, origin, keys: read, threshold, members, provenance, source };
}

/** First blocks by address: of the contract that the ledger began with, and of the versions voted since. */
function readContracts(contracts) {
  demand(isObject(contracts), "its contracts are malformed");
  const names = Object.hasOwn(contracts, DIRECTORY) ? [...CONTRACTS, DIRECTORY] : CONTRACTS;
  demand(hasNames(contracts, names), "contracts are missing or too many");
  const { consortium, provenance, directory } = contracts;
  const listed = Array.isArray(provenance) ? provenance : [provenance];
  demand(listed.length >= 1 && listed.length <= VERSIONS_MAX, "it has none or too many Provenance contracts");
  const [first, ...later] = listed;
  demand(later.every(isVersion), "a later Provenance contract is malformed");
  const addresses = [first, ...later.map(({ address }) => address)];
  demand([...addresses, consortium].every(isAddress), "a contract's address is malformed");
  demand(names === CONTRACTS || isAddress(directory), "a contract's address is malformed");
  const blocks = [0, ...later.map(({ fromBlock }) => fromBlock)];
  demand(blocks.every((number, index) => index === 0 || number >= Math.max(1, blocks[index - 1])), "its Provenance contracts do not stand oldest first");
  const since = new Map(addresses.map((address, index) => [address, blocks[index]]));
  demand(since.size === addresses.length, "a Provenance contract stands in it twice");
  return since;
}

/** What a signature line tells of its key: two keys with the same could not be told apart. */
const idOf = ({ name, id }) => `${name} ${toHex(id)}`;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isVersion = (value) =>
  isObject(value) && hasNames(value, ["address", "fromBlock"]) && Number.isSafeInteger(value.fromBlock);
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
