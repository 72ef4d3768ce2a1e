// RFC 6962 section 2.1: the Merkle tree hash and inclusion proofs, after RFC 9162 section 2.1.3.2.
import { concat } from "./bytes.js";
import { CheckFailed } from "./errors.js";

export const HASH_SIZE_BYTES = 32;
export const PATH_LENGTH_MAX = 63;

export const leafHash = (crypto, data) => crypto.sha256(concat(Uint8Array.of(0), data));
export const nodeHash = (crypto, left, right) =>
  crypto.sha256(concat(Uint8Array.of(1), left, right));

/**
 * The root that `path` gives for the leaf at `index` of a tree of `size` leaves, both BigInt.
 * Throws CheckFailed unless 0 <= index < size and `path` has that tree's length.
 */
export async function rootFromPath(crypto, leaf, index, size, path) {
  if (index < 0n || index >= size) {
    throw new CheckFailed(`index ${index} does not lie in a tree of ${size} leaves`);
  }
  if (path.length > PATH_LENGTH_MAX) throw new CheckFailed("the path is too long");
  let node = index;
  let last = size - 1n;
  let hash = leaf;
  for (const sibling of path) {
    if (sibling.length !== HASH_SIZE_BYTES) throw new CheckFailed("a hash of the path is not 32 bytes");
    if (last === 0n) throw new CheckFailed("the path is longer than the tree is high");
    if (node & 1n || node === last) {
      hash = await nodeHash(crypto, sibling, hash);
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await nodeHash(crypto, hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new CheckFailed("the path is shorter than the tree is high");
  return hash;
}
