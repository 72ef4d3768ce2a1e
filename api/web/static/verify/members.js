// Whose keys are whose (docs/proof-format.md section 4). Twin of ledger/tlog/members.py.
import { toHex } from "./bytes.js";

/**
 * `{count, among(keys), names(keys)}` of a trust file's keys, as `readTrust` gave them.
 *
 * Keys that are one public key are one member's, and so are keys of one name, save the log's own name
 * (`origin`), under which every node signs. `among` is how many members a set of these keys belongs to,
 * `names` what to call those members.
 */
export function membersOf(keys, origin) {
  const parents = new Map();
  const root = (node) => {
    if (!parents.has(node)) parents.set(node, node);
    let found = node;
    while (parents.get(found) !== found) found = parents.get(found);
    return found;
  };
  const nodeOf = (key) => `key ${toHex(key.publicKey)}`;
  for (const key of keys) {
    const own = root(nodeOf(key));
    if (key.name !== origin) parents.set(root(`name ${key.name}`), own);
  }
  const memberOf = new Map(keys.map((key) => [key, root(nodeOf(key))]));
  const all = new Set(memberOf.values());
  const membersAmong = (signed) => new Set([...signed].filter((key) => memberOf.has(key)).map((key) => memberOf.get(key)));
  const nameOf = (member) => {
    const own = keys.filter((key) => memberOf.get(key) === member).map(({ name }) => name);
    const name = own.find((one) => one !== origin) ?? origin;
    return name.startsWith(`${origin}/`) ? name.slice(origin.length + 1) : name;
  };
  return {
    count: all.size,
    among: (signed) => membersAmong(signed).size,
    names: (signed) => [...membersAmong(signed)].map(nameOf),
  };
}
