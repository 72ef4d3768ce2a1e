// What the item is, how it stands, and its facts.
import { h } from "../dom.js";
import { countryName, dateText, localDate, twin, word } from "../language.js";
import { placeName } from "../model/identifier.js";
import { mark } from "./icons.js";

/** Name, brand and serial at the top of the page. */
export function itemHead(facts, identifier, unnamed = word(identifier?.sscc ? "item.unit" : "item.unnamed")) {
  const name = facts ? twin(facts.name.en, facts.name.zh) : "";
  const brand = facts ? twin(facts.brand.en, facts.brand.zh) : "";
  return h(
    "header",
    { class: "item-head" },
    brand ? h("p", { class: "eyebrow" }, brand) : null,
    h("h1", {}, name || unnamed),
    h(
      "p",
      { class: "item-line" },
      [facts?.net, ...codes(identifier)]
        .filter(Boolean)
        .map((text) => h("span", {}, text)),
    ),
  );
}

function codes(identifier) {
  const { serial, lotNumber, sscc } = identifier ?? {};
  if (sscc) return [word("item.unit.number", { number: sscc })];
  if (serial) return [word("item.serial", { serial })];
  return lotNumber ? [word("item.lot", { lot: lotNumber })] : [];
}

/** The item's present state as a line that stands out by how much it matters. */
export function stateNotice(state) {
  if (!state) return null;
  const { step, name, tone } = state;
  const date = state.date ? dateText(state.date) : step.time ? localDate(step.time.moment, step.time.offset) : "";
  return h(
    "section",
    { class: "state", "data-tone": tone },
    tone === "alert" ? mark("alert", 28) : null,
    h("p", {}, h("strong", {}, word(`state.${name}`)), " ", h("span", {}, word(`state.${name}.text`, { date, place: placeText(step) })), " ", said(step.organisation)),
  );
}

/** A state is somebody's word: whose, is part of it. */
const said = ({ name }) => h("span", { class: "fine" }, word("state.said", { who: twin(name.en, name.zh) }));

/** "Corner Pantry, Hangzhou". */
export function placeText({ place }) {
  if (!place) return word("journey.unknown-place");
  const name = twin(place.name.en, place.name.zh);
  const city = twin(place.city.en, place.city.zh);
  return [name, city].filter(Boolean).join(twin(", ", "，")) || unnamedPlace(place.id);
}

const unnamedPlace = (id) =>
  id ? word("journey.unnamed-place", { id: placeName(id) }) : word("journey.unknown-place");

export function factsCard(facts, identifier) {
  if (!facts) return null;
  const dates = facts.harvests.map(dateText);
  const rows = [
    ["origin", facts.origin && countryName(facts.origin)],
    ["harvest", dates.length > 1 ? `${dates[0]} – ${dates.at(-1)}` : dates[0]],
    ["made", facts.made && dateText(facts.made)],
    ["best-before", facts.bestBefore && dateText(facts.bestBefore)],
    ["ingredients", twin(facts.ingredients.en, facts.ingredients.zh)],
    ["storage", twin(facts.storage.en, facts.storage.zh)],
    ["net", facts.net],
    ["lot", facts.lot],
    ["serial", identifier?.serial],
    ["gtin", identifier?.gtin],
    ["maker", twin(facts.step.organisation.name.en, facts.step.organisation.name.zh)],
  ].filter(([, value]) => value);
  return h(
    "section",
    { class: "card", "aria-labelledby": "facts-title" },
    h("h2", { id: "facts-title" }, word("facts.title")),
    h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, word(`facts.${name}`)), h("dd", {}, value)))),
  );
}

export function certificatesCard(certificates, stepTitle, short) {
  if (certificates.length === 0) return null;
  const rows = certificates.map((certificate) => {
    const { name, issuer, number, until, step, uri } = certificate;
    const title = twin(name.en, name.zh) || word("certificates.report", { step: stepTitle(step) });
    const parts = [
      twin(issuer.en, issuer.zh) && word("certificates.issuer", { issuer: twin(issuer.en, issuer.zh) }),
      number ? word("certificates.number", { number }) : word("certificates.document", { id: short(uri) }),
      until && word("certificates.until", { date: dateText(until) }),
    ].filter(Boolean);
    const about = twin(step.organisation.name.en, step.organisation.name.zh);
    return h(
      "li",
      {},
      h("span", { class: "seal", "aria-hidden": "true" }),
      h("div", {}, h("strong", {}, title), h("p", {}, about), h("p", { class: "fine" }, parts.join(" · "))),
    );
  });
  return h(
    "section",
    { class: "card", "aria-labelledby": "certificates-title" },
    h("h2", { id: "certificates-title" }, word("certificates.title")),
    h("ul", { class: "certificates" }, rows),
    h("p", { class: "fine" }, word("certificates.note")),
  );
}
