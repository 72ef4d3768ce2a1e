// The fallback cryptography of the consumer page, for browsers without SubtleCrypto (plain http from
// another host) or without its Ed25519. Only what verification needs.
import * as ed25519 from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";

ed25519.hashes.sha512 = sha512;

export { sha256 };

/** Whether `signature` (64 bytes) of `message` is by `publicKey` (32 bytes), by RFC 8032's strict rule. */
export function verifyEd25519(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
