// GS1 identifiers: EPC URN or Digital Link of any domain in, the constrained canonical Digital Link of
// CBV 2.0 out. Twin of traceability/gs1; the tables are shared.
import TABLES from "./tables/gs1.js";

const TEXT_SIZE_CHARS_MAX = 2000;
const QUERY_PARAMETERS_MAX = 50;
const GTIN_LENGTHS = new Set([8, 12, 13, 14]);
const { keys: KEYS, qualifiers: QUALIFIERS, schemes: SCHEMES, domain: DOMAIN } = TABLES;
const URN_WRITTEN = new Set([...TABLES.urnLiteral, "%"]);
const LINK_LITERAL = new Set(TABLES.digitalLinkLiteral);
const CHARSETS = Object.fromEntries(
  Object.entries(TABLES.charsets).map(([name, characters]) => [name, new Set(characters)]),
);
const byAlpha = (table) => new Map(Object.entries(table).map(([ai, spec]) => [spec.alpha, ai]));
const KEY_OF_ALPHA = byAlpha(KEYS);
const QUALIFIER_OF_ALPHA = byAlpha(QUALIFIERS);

class NotGs1 extends Error {}

function demand(condition) {
  if (!condition) throw new NotGs1();
}

/** The canonical Digital Link of a GS1 identifier; any other text comes back as it is. */
export function canonicalOrSame(text) {
  const identifier = identify(text);
  return identifier ? digitalLink(identifier) : text;
}

/** `{ai, value, qualifiers: [[ai, value]]}` of an EPC URN or Digital Link, or null. Check digits unchecked. */
export function identify(text) {
  try {
    if (text.startsWith("urn:epc:")) return parseUrn(text);
    if (text.startsWith("https://") || text.startsWith("http://")) return parseLink(text);
  } catch (error) {
    if (!(error instanceof NotGs1)) throw error;
  }
  return null;
}

/** Canonical Digital Link: domain id.gs1.org, only the finest level of identification. */
export function digitalLink({ ai, value, qualifiers }) {
  const keep = (KEYS[ai].finest ?? []).find((finest) => qualifiers.some(([key]) => key === finest));
  const kept = qualifiers.filter(([key]) => key === keep);
  return [[ai, value], ...kept].reduce((link, [key, part]) => `${link}/${key}/${encode(part)}`, DOMAIN);
}

/** The GS1 check digit that follows `digits` (GS1 General Specifications section 7.9.1). */
export function checkDigit(digits) {
  const total = [...digits].reverse().reduce((sum, digit, i) => sum + Number(digit) * (i % 2 ? 1 : 3), 0);
  return String((10 - (total % 10)) % 10);
}

function parseLink(text) {
  demand(text.length <= TEXT_SIZE_CHARS_MAX && /^[\x21-\x7e]*$/.test(text));
  const [rest] = text.slice(text.indexOf("://") + 3).split("#", 1);
  const mark = rest.indexOf("?");
  const location = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  const slash = location.indexOf("/");
  const host = slash < 0 ? location : location.slice(0, slash);
  demand(host !== "" && !host.includes("@"));
  const identifier = parsePath(slash < 0 ? "" : location.slice(slash + 1));
  demand(query.split(/[&;]/).length <= QUERY_PARAMETERS_MAX);
  return identifier;
}

function parsePath(path) {
  const segments = path.replace(/\/$/, "").split("/");
  for (let depth = 0; depth < segments.length - 1; depth += 1) {
    const ai = KEY_OF_ALPHA.get(segments[depth]) ?? segments[depth];
    if (!Object.hasOwn(KEYS, ai)) continue;
    try {
      return parseSegments(ai, segments.slice(depth + 1));
    } catch (error) {
      if (!(error instanceof NotGs1)) throw error;
    }
  }
  throw new NotGs1();
}

function parseSegments(ai, segments) {
  const value = checkedKey(ai, decode(segments[0]));
  demand(segments.length % 2 === 1);
  const allowed = KEYS[ai].qualifiers ?? [];
  const qualifiers = [];
  for (let i = 1; i < segments.length; i += 2) {
    const qualifier = QUALIFIER_OF_ALPHA.get(segments[i]) ?? segments[i];
    const before = qualifiers.length ? allowed.indexOf(qualifiers.at(-1)[0]) : -1;
    demand(allowed.indexOf(qualifier) > before);
    qualifiers.push([qualifier, checkedQualifier(qualifier, decode(segments[i + 1]))]);
  }
  return { ai, value, qualifiers };
}

function parseUrn(text) {
  const [, , form, name, ...rest] = text.split(":");
  const body = rest.join(":");
  demand(rest.length > 0 && Object.hasOwn(TABLES.urnForms, form) && TABLES.urnForms[form].includes(name));
  demand([...body].every((character) => URN_WRITTEN.has(character)));
  const scheme = SCHEMES[name];
  const hasLast = Boolean(scheme.serial) || scheme.qualifier !== undefined;
  const parts = splitAtMost(body, ".", 2 + (scheme.pieces ? 2 : 0) + (hasLast ? 1 : 0));
  let value = keyValue(scheme, parts[0], parts[1]);
  if (scheme.pieces) value += digits(parts[2], 2) + digits(parts[3], 2);
  let last = hasLast ? parts.at(-1) : null;
  if (form === "idpat") {
    demand(last === "*");
    last = null;
  } else if (last !== null) {
    last = decode(last);
  }
  const qualifiers = [];
  if (last !== null && scheme.serial) {
    demand(last !== "");
    value += last;
  } else if (last !== null && scheme.qualifier !== undefined && last !== scheme.none) {
    qualifiers.push([scheme.qualifier, checkedQualifier(scheme.qualifier, last)]);
  }
  return { ai: scheme.ai, value: checkedKey(scheme.ai, value), qualifiers };
}

function keyValue(scheme, prefix, reference) {
  demand(/^[0-9]{6,12}$/.test(prefix));
  if (scheme.free) {
    const decoded = decode(reference);
    demand(decoded !== "");
    return prefix + decoded;
  }
  digits(reference, scheme.digits - prefix.length);
  const whole = scheme.indicator
    ? reference.slice(0, 1) + prefix + reference.slice(1)
    : (scheme.lead ?? "") + prefix + reference;
  return whole + checkDigit(whole);
}

function checkedKey(ai, text) {
  const key = KEYS[ai];
  let value = text;
  if (ai === "01") {
    demand(GTIN_LENGTHS.has(value.length));
    value = value.padStart(14, "0");
  }
  if (key.digits) {
    digits(value.slice(0, key.digits), key.digits);
    if (key.rest) checkField(value.slice(key.digits), key.rest);
    else demand(value.length === key.digits);
  } else if (key.rest) {
    checkField(value, key.rest);
  }
  return value;
}

function checkedQualifier(ai, value) {
  checkField(value, QUALIFIERS[ai]);
  return value;
}

function checkField(value, field) {
  demand(value.length >= field.min && value.length <= field.max);
  demand([...value].every((character) => CHARSETS[field.charset].has(character)));
}

function digits(value, length) {
  demand(value.length === length && /^[0-9]*$/.test(value));
  return value;
}

function decode(part) {
  return part.replace(/%([0-9A-Fa-f]{2})?/g, (_, code) => {
    demand(code !== undefined && Number.parseInt(code, 16) <= 0x7e);
    return String.fromCharCode(Number.parseInt(code, 16));
  });
}

function encode(value) {
  const escape = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  return [...value].map((c) => (LINK_LITERAL.has(c) ? c : escape(c))).join("");
}

/** Splits at the first `count - 1` separators only; there must be as many parts. */
function splitAtMost(text, separator, count) {
  const parts = text.split(separator);
  demand(parts.length >= count);
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}
