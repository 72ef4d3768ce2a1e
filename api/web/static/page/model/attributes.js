// Reading an event's own words: master data attributes by namespace, vocabulary words, places, times.
import { VOCABULARIES, canonicalValue, namespacesOf, offsetMinutes, parseTime } from "../../verify/index.js";

const CBV = "urn:epcglobal:cbv:mda:";
const OURS = "urn:tallystick:ns:";
const TEXT_SIZE_CHARS_MAX = 2000;

/** A reader of attributes: `attribute(object, name)` gives the text, its Chinese twin, or "". */
export function readerOf(event) {
  const namespaces = namespacesOf(event["@context"]);
  const full = (key) => {
    const colon = key.indexOf(":");
    const namespace = namespaces.get(key.slice(0, colon));
    return colon > 0 && namespace !== undefined ? namespace + key.slice(colon + 1) : key;
  };
  const find = (object, wanted) => {
    if (typeof object !== "object" || object === null) return undefined;
    const key = Object.keys(object).find((name) => full(name) === wanted);
    return key === undefined ? undefined : object[key];
  };
  const attribute = (object, name) => text(find(object, CBV + name) ?? find(object, OURS + name));
  const own = (object, name) => find(object, OURS + name);
  return {
    attribute,
    own,
    /** `{en, zh}` of an attribute and its Chinese twin. */
    pair: (object, name) => ({ en: attribute(object, name), zh: text(own(object, `${name}Zh`)) }),
    word: (value, vocabulary) => wordOf(value, namespaces, vocabulary),
  };
}

function text(value) {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value.slice(0, TEXT_SIZE_CHARS_MAX) : "";
}

/** The bare word of a vocabulary, however it is spelled; other values as they are. */
function wordOf(value, namespaces, name) {
  const vocabulary = VOCABULARIES.get(name);
  const full = canonicalValue(value, namespaces, vocabulary);
  return full.startsWith(vocabulary.prefix) ? full.slice(vocabulary.prefix.length) : full;
}

/** `{moment, offset}`: milliseconds since 1970 and minutes east of UTC, or null. */
export function timeOf(event) {
  const moment = parseTime(String(event.eventTime ?? ""));
  if (moment === null) return null;
  const zone = String(event.eventTimeZoneOffset ?? "");
  return { moment, offset: /^[+-]\d\d:\d\d$/.test(zone) ? offsetMinutes(zone) : 0 };
}

/** `{id, name: {en, zh}, city: {en, zh}, latitude, longitude}`; coordinates null where unstated. */
export function placeOf(event, reader) {
  const place = event.readPoint ?? event.bizLocation;
  if (typeof place !== "object" || place === null) return null;
  const latitude = degrees(reader.attribute(place, "latitude"), 90);
  const longitude = degrees(reader.attribute(place, "longitude"), 180);
  const located = latitude !== null && longitude !== null;
  return {
    id: text(place.id),
    name: reader.pair(place, "name"),
    city: reader.pair(place, "city"),
    latitude: located ? latitude : null,
    longitude: located ? longitude : null,
  };
}

function degrees(spelled, most) {
  if (!/^[+-]?\d{1,3}(\.\d{1,12})?$/.test(spelled)) return null;
  const value = Number(spelled);
  return Math.abs(value) <= most ? value : null;
}
