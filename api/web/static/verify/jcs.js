// RFC 8785 canonical JSON (JCS). ECMAScript's own number and string serialisation is the standard's.
import { CheckFailed } from "./errors.js";
import { fromUtf8, utf8 } from "./bytes.js";

/** Deepest nesting of objects and arrays. */
export const DEPTH_MAX = 66;

/** Canonical text of a JSON value. Throws CheckFailed for what JCS cannot carry exactly. */
export function canonicalText(value, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return stringText(value);
  if (typeof value !== "object") throw new CheckFailed(`a ${typeof value} is not JSON`);
  if (depth >= DEPTH_MAX) throw new CheckFailed(`the JSON is nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalText(item, depth + 1)).join(",")}]`;
  }
  // The default order of sort() is by UTF-16 code units, as RFC 8785 section 3.2.3 demands.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${stringText(key)}:${canonicalText(value[key], depth + 1)}`);
  return `{${members.join(",")}}`;
}

export const canonicalBytes = (value) => utf8(canonicalText(value));

/** The JSON value that canonical bytes, plus one newline, spell; any other spelling is refused. */
export function parseCanonicalLine(bytes) {
  const text = fromUtf8(bytes);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CheckFailed("the file is not JSON");
  }
  if (`${canonicalText(value)}\n` !== text) {
    throw new CheckFailed("the file is not spelled in canonical form (RFC 8785) plus one newline");
  }
  demandSafeNumbers(value);
  return value;
}

/** Refuses numbers beyond 2^53-1, in whatever spelling: others would read other digits, or refuse. */
export function demandSafeNumbers(value) {
  if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new CheckFailed("a number is beyond 2^53-1");
  }
  if (typeof value === "object" && value !== null) Object.values(value).forEach(demandSafeNumbers);
}

function numberText(value) {
  if (!Number.isFinite(value)) throw new CheckFailed("a number is not finite");
  return String(Object.is(value, -0) ? 0 : value);
}

function stringText(value) {
  // With the u flag only lone surrogates match.
  if (/[\ud800-\udfff]/u.test(value)) {
    throw new CheckFailed("a string has a lone surrogate");
  }
  return JSON.stringify(value);
}
