// From checked entries to what the page tells: steps in order, the item's facts, its present state.
import { placeOf, readerOf, timeOf } from "./attributes.js";
import { outputsOf } from "./relevance.js";

const FINAL = new Map([
  ["destroyed", "destroyed"],
  ["disposed", "destroyed"],
  ["stolen", "stolen"],
  ["damaged", "damaged"],
  ["recalled", "recalled"],
  ["non_sellable_other", "stopped"],
  ["retail_sold", "sold"],
  ["sellable_accessible", "on-sale"],
  ["in_transit", "in-transit"],
]);

/** The journey's steps, oldest first; those whose check failed keep their place, but no content. */
export function stepsOf(entries) {
  return entries.map(stepOf).sort((left, right) => (left.time?.moment ?? 0) - (right.time?.moment ?? 0));
}

function stepOf(entry) {
  const { result, relation, about, bundle } = entry;
  const event = typeof bundle?.event === "object" && bundle.event !== null ? bundle.event : {};
  const reader = readerOf(event);
  return {
    entry,
    event,
    reader,
    relation,
    about,
    outcome: result.outcome,
    time: timeOf(event),
    place: placeOf(event, reader),
    kind: kindOf(event, reader),
    organisation: organisationOf(entry),
    disposition: reader.word(event.disposition, "disposition"),
    set: dispositions(event.persistentDisposition?.set, reader),
    unset: dispositions(event.persistentDisposition?.unset, reader),
    note: reader.pair(event, "note"),
  };
}

/** Names come from the members' directory; the id itself is proven, and a name must belong to it. */
function organisationOf({ organisation, result }) {
  const proven = result.facts.organisation;
  const claimed = organisation ?? {};
  if (proven && proven !== claimed.id) return { id: proven, name: { en: proven, zh: proven }, role: "" };
  const id = String(claimed.id ?? "");
  const name = String(claimed.name ?? "") || id;
  return { id, name: { en: name, zh: String(claimed.nameZh ?? "") || name }, role: String(claimed.role ?? "") };
}

function kindOf(event, reader) {
  if (event.type === "TransformationEvent") return "transformation";
  const step = reader.word(event.bizStep, "bizStep");
  if (step === "commissioning" && reader.attribute(event.ilmd, "harvestEndDate")) return "harvest";
  if (step) return step;
  return event.type === "AssociationEvent" ? "association" : "unstated";
}

const dispositions = (value, reader) =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one) => reader.word(one, "disposition"));

/**
 * Master data of the item: what the organisation said that was first to bring it into being, in its
 * latest words. First is whoever comes first in the log, which nobody can date back: another member
 * may say what it likes about the item, but not rename it.
 */
export function factsOf(steps) {
  const made = sound(steps).filter((step) => step.event.ilmd && ["self", "lot"].includes(step.relation) && describes(step));
  if (made.length === 0) return null;
  const first = made.reduce((one, other) => (placeInLog(other) < placeInLog(one) ? other : one));
  const step = made.filter(({ organisation }) => organisation.id === first.organisation.id).at(-1);
  const { reader, event: { ilmd } } = step;
  return {
    step,
    name: reader.pair(ilmd, "descriptionShort"),
    brand: reader.pair(ilmd, "brand"),
    net: reader.attribute(ilmd, "netContent"),
    lot: reader.attribute(ilmd, "lotNumber"),
    origin: reader.attribute(ilmd, "countryOfOrigin"),
    made: reader.attribute(ilmd, "productionDate"),
    bestBefore: reader.attribute(ilmd, "bestBeforeDate"),
    ingredients: reader.pair(ilmd, "ingredients"),
    storage: reader.pair(ilmd, "storage"),
    harvests: harvestDates(steps),
  };
}

/** Unproven entries have no place and stand behind all others. */
const placeInLog = ({ entry }) => Number(entry.result.facts.logIndex ?? Infinity);

/** A making's master data is about what came out of it, not about what went in. */
function describes({ event, about }) {
  return event.type !== "TransformationEvent" || outputsOf(event).includes(about);
}

const harvestDates = (steps) =>
  [...new Set(sound(steps).map(({ reader, event }) => reader.attribute(event.ilmd, "harvestEndDate")))]
    .filter(Boolean)
    .sort();

/** `{name, tone, step}`: what matters most about the item now. */
export function stateOf(steps, now) {
  const own = sound(steps).filter(({ relation }) => ["self", "container", "lot"].includes(relation));
  if (own.length === 0) return null;
  const held = heldDispositions(own);
  const end = own.find(({ disposition }) => FINAL.get(disposition) === "destroyed");
  if (end) return { name: "destroyed", tone: "alert", step: end };
  for (const [name, state] of [["recalled", "recalled"], ["stolen", "stolen"], ["non_conformant", "stopped"]]) {
    if (held.has(name)) return { name: state, tone: "alert", step: held.get(name) };
  }
  const step = own.filter(({ disposition }) => disposition).at(-1) ?? own.at(-1);
  const name = FINAL.get(step.disposition) ?? "last";
  const alert = ["destroyed", "stolen", "damaged", "recalled", "stopped"].includes(name);
  if (!alert) {
    const expiry = factsOf(steps)?.bestBefore ?? "";
    const lastDay = /^\d{4}-\d{2}-\d{2}$/.test(expiry) ? Date.parse(`${expiry}T23:59:59Z`) : Number.NaN;
    if (lastDay < now) return { name: "expired", tone: "alert", step, date: expiry };
  }
  return { name, tone: alert ? "alert" : name === "sold" ? "notice" : "plain", step };
}

function heldDispositions(steps) {
  const held = new Map();
  for (const step of steps) {
    for (const name of step.unset) held.delete(name);
    for (const name of step.set) if (!held.has(name)) held.set(name, step);
  }
  return held;
}

/** The step that lifted a stop after `moment`, or null. */
export const releaseAfter = (steps, moment) =>
  sound(steps).find((step) => step.unset.includes("non_conformant") && step.time && step.time.moment >= moment) ?? null;

/** Certificates named by the journey: `{uri, name, issuer, number, until, step}`, each once. */
export function certificatesOf(steps) {
  const found = new Map();
  for (const step of sound(steps)) {
    const { reader, event } = step;
    const details = reader.own(event.ilmd, "certificate");
    const uris = Array.isArray(event.certificationInfo) ? event.certificationInfo : [event.certificationInfo];
    for (const uri of uris) {
      if (typeof uri !== "string" || found.has(uri)) continue;
      found.set(uri, {
        uri,
        step,
        name: reader.pair(details, "name"),
        issuer: reader.pair(details, "issuer"),
        number: reader.attribute(details, "number"),
        until: reader.attribute(details, "validUntil"),
      });
    }
  }
  return [...found.values()];
}

/** Steps that may be told as fact, or as unconfirmed, but not those that failed. */
export const sound = (steps) => steps.filter(({ outcome }) => outcome !== "invalid");
