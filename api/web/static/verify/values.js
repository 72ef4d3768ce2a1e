// Canonical spelling of single values: times, numbers, vocabulary words, URIs (CBV 2.0 section 8.9.2).
// Twin of traceability/epcis/values.py.
import { canonicalOrSame } from "./gs1.js";
import TABLES from "./tables/cbv.js";

const TIME = new RegExp(
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})" +
    "(?:\\.([0-9]{1,12}))?(Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))$",
);
const NUMBER = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$/;
const DIGITS_MAX = 400;
const CBV_URN = "urn:epcglobal:cbv:";
const WHITESPACE = new Set(TABLES.whitespace);
export const VOCABULARIES = new Map(
  Object.entries(TABLES.vocabularies).map(([name, spec]) => [
    name,
    { prefix: spec.prefix, urn: spec.urn, words: new Set(spec.words) },
  ]),
);

export function trim(text) {
  let start = 0;
  let end = text.length;
  while (start < end && WHITESPACE.has(text[start])) start += 1;
  while (end > start && WHITESPACE.has(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/** Milliseconds since 1970 of an xsd:dateTimeStamp, rounded half up; null for anything else. */
export function parseTime(text) {
  const match = TIME.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const [fraction = "", zone] = match.slice(7);
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const rounded = Number(fraction.slice(0, 3).padEnd(3, "0")) + (Number(fraction[3] ?? 0) >= 5 ? 1 : 0);
  const local = date.setUTCHours(hour, minute, second) + rounded;
  const moment = local - offsetMinutes(zone) * 60_000;
  // The calendar ends with the years 1 and 9999, after rounding as well as in UTC.
  return [local, moment].every(isWithinCalendar) ? moment : null;
}

export function offsetMinutes(zone) {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone[0] === "-" ? -minutes : minutes;
}

function isWithinCalendar(moment) {
  const year = new Date(moment).getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/** UTC with milliseconds and 'Z'; a text that is no time comes back trimmed. */
export function canonicalTime(text) {
  const trimmed = trim(text);
  const moment = parseTime(trimmed);
  return moment === null ? trimmed : new Date(moment).toISOString();
}

/** The canonical text of a scalar; `namespaces` is a Map, `vocabulary` one of VOCABULARIES. */
export function canonicalText(value, namespaces, vocabulary) {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return plainNumber(String(value)) ?? "0";
  if (typeof value !== "string") return "";
  const text = trim(value);
  if (vocabulary?.words.has(text)) return vocabulary.prefix + text;
  const colon = text.indexOf(":");
  const prefix = text.slice(0, colon);
  if (colon >= 0 && namespaces.has(prefix) && !text.startsWith("//", colon + 1)) {
    return withoutContext(namespaces.get(prefix) + text.slice(colon + 1));
  }
  return withoutContext(text);
}

function withoutContext(text) {
  if (text.startsWith(CBV_URN)) {
    for (const { urn, prefix } of VOCABULARIES.values()) {
      if (urn !== null && text.startsWith(urn)) return prefix + text.slice(urn.length);
    }
    return text;
  }
  if (/^[+\-.0-9]/.test(text)) return plainNumber(text) ?? text;
  return canonicalOrSame(text);
}

/** The same number in plain notation, exactly, or null if `text` is no number. */
function plainNumber(text) {
  const match = NUMBER.exec(text);
  if (!match) return null;
  let [, sign, whole, fraction = "", exponent] = match;
  if (!whole && !fraction) return null;
  if (exponent !== undefined) {
    if (whole.length + fraction.length + Math.abs(Number(exponent)) > DIGITS_MAX) return null;
    [whole, fraction] = shifted(whole, fraction, Number(exponent));
  }
  whole = whole.replace(/^0+/, "") || "0";
  fraction = fraction.replace(/0+$/, "");
  const plain = fraction ? `${whole}.${fraction}` : whole;
  return sign === "-" && plain !== "0" ? `-${plain}` : plain;
}

function shifted(whole, fraction, exponent) {
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return ["0", "0".repeat(-point) + digits];
  return [digits.slice(0, point).padEnd(point, "0"), digits.slice(point)];
}
