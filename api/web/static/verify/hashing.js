// The EPCIS event hash id of CBV 2.0 (section 8.9). Twin of traceability/epcis/hashing.py; docs/cbv-hash.md
// describes the algorithm, the tables are shared.
import { toHex, utf8 } from "./bytes.js";
import TABLES from "./tables/cbv.js";
import { VOCABULARIES, canonicalText, canonicalTime } from "./values.js";

const IGNORED_ANYWHERE = new Set(TABLES.ignoredAnywhere);
const NEVER_PREFIXES = new Set(TABLES.neverPrefixes);
const ORDER = TABLES.order.map(readField);
const KNOWN = new Set([...ORDER.map((field) => field.name), ...TABLES.ignoredFields]);
const NOTHING = new Set();

function readField({ name, kind, vocabulary, item, fields }) {
  const children = (fields ?? []).map(readField);
  return {
    name,
    item,
    time: kind === "time",
    vocabulary: VOCABULARIES.get(vocabulary),
    fields: children,
    known: new Set(children.map((child) => child.name)),
  };
}

/** The event hash id of a bare event with its own `@context`. Nothing is ever fetched. */
export async function eventHashId(crypto, event) {
  const digest = await crypto.sha256(utf8(preHash(event)));
  return `ni:///sha-256;${toHex(digest)}?ver=${TABLES.version}`;
}

/** The pre-hash string of a bare event. */
export function preHash(event, namespaces = namespacesOf(own(event, "@context"))) {
  const parts = [`eventType=${canonicalText(own(event, "type"), new Map())}`];
  for (const field of ORDER) {
    const value = own(event, field.name);
    if (value !== null && value !== undefined) parts.push(render(field, value, namespaces));
  }
  return parts.join("") + extensions(event, KNOWN, namespaces);
}

/** Prefix to namespace URI: those of the EPCIS context, then the event's own, later ones winning. */
export function namespacesOf(context) {
  const found = new Map(Object.entries(TABLES.namespaces));
  for (const entry of entriesOf(context)) {
    if (!isObject(entry)) continue;
    for (const [name, value] of Object.entries(entry)) {
      const uri = isObject(value) ? own(value, "@id") : value;
      const usable = typeof uri === "string" && uri.includes(":");
      if (usable && !NEVER_PREFIXES.has(name) && !name.startsWith("@")) found.set(name, uri);
    }
  }
  return found;
}

function entriesOf(context) {
  if (context === undefined || context === null) return [];
  return Array.isArray(context) ? context : [context];
}

function render(field, value, namespaces) {
  if (!Array.isArray(value)) return named(field, field.name, value, namespaces);
  const item = field.item ?? field.name;
  const items = sorted(value.map((part) => named(field, item, part, namespaces))).join("");
  if (field.item === undefined) return items;
  return items ? field.name + items : "";
}

function named(field, name, value, namespaces) {
  if (["string", "number", "boolean"].includes(typeof value)) {
    const text =
      field.time && typeof value === "string"
        ? canonicalTime(value)
        : canonicalText(value, namespaces, field.vocabulary);
    return text ? `${name}=${text}` : "";
  }
  if (!isObject(value)) return "";
  const parts = field.fields.map((child) => {
    const inner = own(value, child.name);
    return inner === null || inner === undefined ? "" : render(child, inner, namespaces);
  });
  const content = parts.join("") + extensions(value, field.known, namespaces);
  return content ? name + content : "";
}

function extensions(value, known, namespaces) {
  const found = [];
  for (const [key, inner] of Object.entries(value)) {
    if (known.has(key) || IGNORED_ANYWHERE.has(key) || inner === null) continue;
    const name = expandedKey(key, namespaces);
    for (const item of Array.isArray(inner) ? inner : [inner]) {
      found.push(extensionItem(name, item, namespaces));
    }
  }
  return sorted(found).join("");
}

function extensionItem(key, value, namespaces) {
  if (isObject(value)) return key + extensions(value, NOTHING, namespaces);
  if (Array.isArray(value)) {
    return key + sorted(value.map((item) => extensionItem("", item, namespaces))).join("");
  }
  const text = canonicalText(value, namespaces);
  return text ? `${key}=${text}` : key;
}

function expandedKey(key, namespaces) {
  const colon = key.indexOf(":");
  const prefix = key.slice(0, colon);
  return colon >= 0 && namespaces.has(prefix)
    ? `{${namespaces.get(prefix)}}${key.slice(colon + 1)}`
    : key;
}

/** Sorted by code points, which is the order of the UTF-8 bytes; sort() alone compares UTF-16. */
function sorted(texts) {
  return texts.sort(compareCodePoints);
}

function compareCodePoints(left, right) {
  const size = Math.min(left.length, right.length);
  let i = 0;
  while (i < size && left.charCodeAt(i) === right.charCodeAt(i)) i += 1;
  if (i === size) return left.length - right.length;
  return rank(left.charCodeAt(i)) - rank(right.charCodeAt(i));
}

/** Surrogates stand for code points beyond all other UTF-16 units. */
const rank = (unit) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const own = (value, key) => (Object.hasOwn(value, key) ? value[key] : undefined);
