// RFC 6962 section 2.1.2, after RFC 9162 section 2.1.4.2: that a later tree begins with an earlier one.
import { equal, fromBase64 } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { HASH_SIZE_BYTES, nodeHash } from "./merkle.js";

export const CONSISTENCY_LENGTH_MAX = 126;

/**
 * Checks the path from the tree of `size1` (BigInt, at least 1) and `root1` to that of `size2` and
 * `root2`; throws CheckFailed where it does not lead there.
 */
export async function verifyConsistency(crypto, size1, size2, path, root1, root2) {
  if (size1 < 1n || size1 > size2) throw new CheckFailed(`no proof leads from size ${size1} to size ${size2}`);
  if (size1 === size2) {
    if (path.length > 0 || !equal(root1, root2)) throw new CheckFailed(`two different roots for size ${size1}`);
    return;
  }
  if (path.length === 0) throw new CheckFailed("the path is empty");
  if (path.some((hash) => hash.length !== HASH_SIZE_BYTES)) throw new CheckFailed("a hash of the path is not 32 bytes");
  const isPower = (size1 & (size1 - 1n)) === 0n;
  const [first, ...rest] = isPower ? [root1, ...path] : path;
  let node = size1 - 1n;
  let last = size2 - 1n;
  while (node & 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  let found1 = first;
  let found2 = first;
  for (const sibling of rest) {
    if (last === 0n) throw new CheckFailed("the path is too long");
    if (node & 1n || node === last) {
      found1 = await nodeHash(crypto, sibling, found1);
      found2 = await nodeHash(crypto, sibling, found2);
      while (node && !(node & 1n)) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      found2 = await nodeHash(crypto, found2, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new CheckFailed("the path is too short");
  if (!equal(found1, root1)) throw new CheckFailed(`the path does not lead to the root of size ${size1}`);
  if (!equal(found2, root2)) throw new CheckFailed(`the path does not lead to the root of size ${size2}`);
}

/** The path in an answer of `/log/consistency`; null where it is no answer to the question. */
export function readConsistency(body, origin, size1, size2) {
  if (typeof body !== "object" || body === null || body.origin !== origin) return null;
  if (body.from !== Number(size1) || body.to !== Number(size2) || !Array.isArray(body.proof)) return null;
  if (body.proof.length > CONSISTENCY_LENGTH_MAX) return null;
  try {
    const path = body.proof.map(fromBase64);
    return path.every((hash) => hash.length === HASH_SIZE_BYTES) ? path : null;
  } catch (error) {
    if (error instanceof CheckFailed) return null;
    throw error;
  }
}
