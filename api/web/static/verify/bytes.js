// Bytes, and the strict spellings of them that the proof format allows.
import { CheckFailed } from "./errors.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** UTF-8 bytes of a string. Requires a string without lone surrogates. */
export const utf8 = (text) => encoder.encode(text);

/** The string that UTF-8 bytes spell; throws CheckFailed when they are not UTF-8. */
export function fromUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new CheckFailed("the text is not UTF-8");
  }
}

export const UINT63_MAX = 2n ** 63n - 1n;

/** An unsigned decimal below 2^63 in its one spelling. */
export const isDecimal = (text) =>
  typeof text === "string" && /^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) <= UINT63_MAX;

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

export function equal(left, right) {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of lower-case hex digits, without prefix; throws CheckFailed for anything else. */
export function fromHex(text) {
  if (typeof text !== "string" || text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new CheckFailed("expected an even number of lower-case hex digits");
  }
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(start, start + 3);
    text += BASE64[a >> 2] + BASE64[((a & 3) << 4) | (b >> 4)];
    text += start + 1 < bytes.length ? BASE64[((b & 15) << 2) | (c >> 6)] : "=";
    text += start + 2 < bytes.length ? BASE64[c & 63] : "=";
  }
  return text;
}

/** Bytes of standard padded base64; the one spelling only (no blanks, no stray trailing bits). */
export function fromBase64(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new CheckFailed("expected standard base64 with padding");
  }
  const digits = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let offset = 0;
  for (const digit of digits) {
    held = ((held << 6) | BASE64.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[offset++] = (held >> bits) & 0xff;
    }
  }
  if (toBase64(bytes) !== text) throw new CheckFailed("the base64 text has stray bits");
  return bytes;
}
