// The journey: who said what, when, where, each with its own mark.
import { h } from "../dom.js";
import { hasWord, localTime, numberText, twin, utcTime, word, zoneName } from "../language.js";
import { shortName } from "../model/identifier.js";
import { mark } from "./icons.js";
import { placeText } from "./item.js";

export function journeyCard(steps, proofLink) {
  const groups = grouped(steps);
  const zones = zonesOf(steps);
  return h(
    "section",
    { class: "card journey", "aria-labelledby": "journey-title" },
    h("h2", { id: "journey-title" }, word("journey.title")),
    h("p", { class: "fine" }, [word("journey.oldest"), zones.all].filter(Boolean).join(" · ")),
    h("ol", { class: "groups" }, groups.map((group) => groupItem(group, zones, proofLink))),
  );
}

/** What a step is called: "Harvested and registered". */
export const stepTitle = (step) => (hasWord(`step.${step.kind}`) ? word(`step.${step.kind}`) : step.kind);

/** Consecutive steps of one organisation stand under its name once. */
function grouped(steps) {
  const groups = [];
  for (const step of steps) {
    if (groups.at(-1)?.organisation.id === step.organisation.id) groups.at(-1).steps.push(step);
    else groups.push({ organisation: step.organisation, steps: [step] });
  }
  return groups;
}

/** `{all, at}`: what is said of the zone once, and the steps where it is another than before. */
function zonesOf(steps) {
  const timed = steps.filter(({ time }) => time);
  if (timed.length === 0) return { all: "", at: new Set() };
  const changed = timed.filter(({ time }, index) => time.offset !== timed[index - 1]?.time.offset);
  if (changed.length === 1) return { all: word("journey.zone", { zone: zoneName(timed[0].time.offset) }), at: new Set() };
  return { all: word("journey.zones"), at: new Set(changed) };
}

function groupItem({ organisation, steps }, zones, proofLink) {
  return h(
    "li",
    { class: "group" },
    h(
      "h3",
      {},
      twin(organisation.name.en, organisation.name.zh),
      hasWord(`role.${organisation.role}`) ? h("span", { class: "role" }, word(`role.${organisation.role}`)) : null,
    ),
    h("ol", { class: "steps" }, steps.map((step) => stepItem(step, zones, proofLink))),
  );
}

function stepItem(step, zones, proofLink) {
  const failed = step.outcome === "invalid";
  return h(
    "li",
    { class: "step", "data-outcome": step.outcome, id: `step-${step.number}` },
    h("span", { class: "step-mark" }, mark(step.outcome, 22), h("span", { class: "sr" }, word(`mark.${step.outcome}`))),
    h(
      "div",
      { class: "step-body" },
      h("h4", {}, stepTitle(step), subject(step)),
      step.time ? h("p", { class: "when" }, when(step, zones)) : null,
      failed ? h("p", { class: "bad" }, word("journey.invalid")) : content(step),
      details(step, proofLink),
    ),
  );
}

function subject(step) {
  if (!step.relation || step.relation === "self") return null;
  return h("span", { class: "about" }, word(`journey.about.${step.relation}`));
}

const when = (step, zones) => [
  h("time", { datetime: new Date(step.time.moment).toISOString() }, localTime(step.time.moment, step.time.offset)),
  zones.at.has(step) ? h("span", { class: "zone" }, zoneName(step.time.offset)) : null,
];

/** The local time; the same in UTC only where that is another. */
const bothTimes = ({ moment, offset }) =>
  offset === 0 ? utcTime(moment) : `${localTime(moment, offset)} · ${utcTime(moment)}`;

function content(step) {
  const note = twin(step.note.en, step.note.zh);
  const declared = step.event.errorDeclaration?.declarationTime;
  const marks = [
    ...step.set.map((name) => `disposition.${name}`),
    ...(step.unset.includes("non_conformant") ? ["disposition.cleared"] : []),
  ].filter(hasWord);
  return [
    h("p", { class: "where" }, placeText(step)),
    quantities(step),
    marks.length ? h("p", { class: "chips" }, marks.map((name) => h("span", { class: "chip", "data-kind": name.split(".")[1] }, word(name)))) : null,
    note ? h("p", { class: "note" }, note) : null,
    declared ? h("p", { class: "bad" }, word("journey.declared", { date: String(declared).slice(0, 10) })) : null,
  ];
}

/** Lots with their amounts, where an event counts lots rather than single pieces. */
function quantities(step) {
  const { event, reader } = step;
  const lists = event.type === "TransformationEvent" ? event.inputQuantityList : event.quantityList;
  const name = twin(reader.attribute(event.ilmd, "descriptionShort"), reader.pair(event.ilmd, "descriptionShort").zh);
  const lots = (Array.isArray(lists) ? lists : [])
    .filter((lot) => typeof lot?.epcClass === "string" && Number.isFinite(lot.quantity))
    .map((lot) => [`${numberText(lot.quantity)} ${unit(lot.uom)}`, event.type === "TransformationEvent" ? "" : name, shortName(lot.epcClass)]);
  if (lots.length === 0) return null;
  return h("ul", { class: "lots" }, lots.map((parts) => h("li", {}, parts.filter(Boolean).join(" · "))));
}

const UNITS = { KGM: "kg", GRM: "g", LTR: "l", MLT: "ml", TNE: "t" };
const unit = (code) => UNITS[code] ?? code ?? "";

function details(step, proofLink) {
  const { facts, steps } = step.entry.result;
  const reason = steps.find(({ outcome }) => ["invalid", "unknown"].includes(outcome));
  const rows = [
    ["identifier", step.about],
    ["happened", step.time && bothTimes(step.time)],
    ["recorded", facts.blockTime && utcTime(facts.blockTime * 1000)],
    ["log-line", facts.logIndex !== undefined ? String(facts.logIndex) : null],
    ["fingerprint", facts.eventID],
  ].filter(([, value]) => value);
  return h(
    "details",
    { class: "more" },
    h("summary", {}, word("journey.details")),
    reason ? h("p", { class: "bad" }, `${word(`checked.${reason.name}`)}: ${reason.reason}`) : null,
    h("dl", {}, rows.map(([name, value]) => [h("dt", {}, word(`journey.${name}`)), h("dd", {}, value)])),
    step.outcome === "invalid" ? null : proofLink(step),
  );
}
