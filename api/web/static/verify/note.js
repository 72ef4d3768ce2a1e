// C2SP signed-note, tlog-checkpoint and tlog-cosignature: who has signed which tree.
import { UINT63_MAX, concat, equal, fromBase64, isDecimal, utf8 } from "./bytes.js";
import { CheckFailed } from "./errors.js";
import { HASH_SIZE_BYTES } from "./merkle.js";

export const NOTE_SIZE_BYTES_MAX = 64 * 1024;
const SIGNATURES_MAX = 128;
const KEY_ID_SIZE_BYTES = 4;
const ED25519 = 0x01;
const COSIGNATURE = 0x04;
const SIGNATURE_SIZE_BYTES = { [ED25519]: 64, [COSIGNATURE]: 8 + 64 };

/** A key name: 1 to 255 characters, all visible, no plus sign. */
const isName = (name) => /^[^\s+\p{C}\p{Z}]{1,255}$/u.test(name);

/** `{name, id, type, publicKey}` of a C2SP vkey, `<name>+<hex key id>+<base64 of type and key>`. */
export async function parseVerifierKey(crypto, text) {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  if (!match || !isName(match[1])) throw new CheckFailed("a trusted key is not a C2SP verifier key");
  const [, name, hex, encoded] = match;
  const material = fromBase64(encoded);
  const type = material[0];
  if (!(type in SIGNATURE_SIZE_BYTES) || material.length !== 33) {
    throw new CheckFailed(`the trusted key ${name} is of an unknown kind`);
  }
  const id = (await crypto.sha256(concat(utf8(`${name}\n`), material))).slice(0, KEY_ID_SIZE_BYTES);
  if (Number.parseInt(hex, 16) !== new DataView(id.buffer).getUint32(0)) {
    throw new CheckFailed(`the id of the trusted key ${name} does not fit its key`);
  }
  return { name, id, type, publicKey: material.slice(1) };
}

/** `{text, signatures: [{name, id, signature}]}` of a signed note. */
export function parseNote(note) {
  if (utf8(note).length > NOTE_SIZE_BYTES_MAX) throw new CheckFailed("the checkpoint is too long");
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) {
    throw new CheckFailed("the checkpoint has control characters");
  }
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new CheckFailed("the checkpoint has no signatures");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw new CheckFailed("the checkpoint has too many signatures");
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line) {
  const match = /^\u2014 (\S+) (\S+)$/.exec(line);
  if (!match || !isName(match[1])) throw new CheckFailed("a signature line of the checkpoint is malformed");
  const bytes = fromBase64(match[2]);
  if (bytes.length <= KEY_ID_SIZE_BYTES) throw new CheckFailed("a signature of the checkpoint is too short");
  return {
    name: match[1],
    id: bytes.slice(0, KEY_ID_SIZE_BYTES),
    signature: bytes.slice(KEY_ID_SIZE_BYTES),
  };
}

/** `{origin, size, root}` (size a BigInt) of a checkpoint's text. */
export function parseCheckpoint(text) {
  const [origin, size, root, ...rest] = text.split("\n");
  if (!origin || root === undefined || rest.pop() !== "" || rest.includes("")) {
    throw new CheckFailed("the checkpoint is not origin, size and root");
  }
  if (!isDecimal(size)) throw new CheckFailed("the checkpoint's size is not a number");
  const hash = fromBase64(root);
  if (hash.length !== HASH_SIZE_BYTES) throw new CheckFailed("the checkpoint's root is not 32 bytes");
  return { origin, size: BigInt(size), root: hash };
}

/**
 * The trusted keys that have signed the note. Strangers' signatures are passed over; one that bears a
 * trusted key's name and id, yet is not that key's, spoils the note: CheckFailed.
 */
export async function signersOf(crypto, note, keys) {
  const signed = new Set();
  for (const { name, id, signature } of note.signatures) {
    const key = keys.find((known) => known.name === name && equal(known.id, id));
    if (!key) continue;
    if (!(await isSignature(crypto, key, note.text, signature))) {
      throw new CheckFailed(`the signature of ${name} is wrong`);
    }
    signed.add(key);
  }
  return signed;
}

async function isSignature(crypto, key, text, signature) {
  if (signature.length !== SIGNATURE_SIZE_BYTES[key.type]) return false;
  if (key.type === ED25519) return crypto.verifyEd25519(signature, utf8(text), key.publicKey);
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  if (time > UINT63_MAX) return false;
  const message = `cosignature/v1\ntime ${time}\n${text}`;
  return crypto.verifyEd25519(signature.slice(8), utf8(message), key.publicKey);
}
