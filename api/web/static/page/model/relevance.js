// Which entries concern the scanned item: read from the events alone, never from what the server says
// about them. A true record of some other item must not pass for one of this item.
import { canonicalOrSame, parseTime } from "../../verify/index.js";

const EPC_LISTS = ["epcList", "childEPCs", "inputEPCList", "outputEPCList"];
const QUANTITY_LISTS = ["quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"];
const RANK = ["self", "lot", "container", "input"];
const ROUNDS_MAX = 50; // packings within packings, makings out of makings

/**
 * `{related, leftOut}`: the entries that touch the item, what it was packed in while it was in there, or
 * what it was made of until then; each with `relation` ("self", "lot", "container", "input"), `about`
 * (the identifier) and `direct`. An entry whose check failed counts unread, so that its failure is seen.
 */
export function concerned(entries, identifier) {
  const soundEvents = entries.filter(isSound).map(({ bundle }) => bundle.event);
  const ties = tiesOf(soundEvents, identifier);
  const related = [];
  for (const entry of entries) {
    const tie = isSound(entry) ? tieOf(entry.bundle.event, ties) : { relation: null, epc: null };
    if (tie) related.push({ ...entry, relation: tie.relation, about: tie.epc, direct: tie.relation === "self" || !isSound(entry) });
  }
  return { related, leftOut: entries.length - related.length };
}

const isSound = ({ result }) => result.outcome !== "invalid";

/** The closest tie between an event and the item, or undefined. */
function tieOf(event, ties) {
  const epcs = new Set(mentioned(event));
  const time = timeOf(event);
  return ties
    .filter(({ epc, from, to }) => epcs.has(epc) && from <= time && time <= to)
    .sort((left, right) => RANK.indexOf(left.relation) - RANK.indexOf(right.relation))[0];
}

/** Ties `{epc, relation, from, to}`: what the item was, was part of and was made of, and when. */
function tiesOf(events, { epc, lot }) {
  const always = { from: -Infinity, to: Infinity };
  const ties = [{ epc, relation: "self", ...always }];
  if (lot) ties.push({ epc: lot, relation: "lot", ...always });
  for (let round = 0, size = 0; size !== ties.length && round < ROUNDS_MAX; round += 1) {
    size = ties.length;
    for (const event of events) {
      for (const tie of [...packings(event, ties, events), ...makings(event, ties)]) {
        if (!ties.some((known) => same(known, tie))) ties.push(tie);
      }
    }
  }
  return ties;
}

const same = (left, right) =>
  left.epc === right.epc && left.relation === right.relation && left.from === right.from && left.to === right.to;

function packings(event, ties, events) {
  if (event.action !== "ADD" || typeof event.parentID !== "string") return [];
  const epc = canonicalOrSame(event.parentID);
  const from = timeOf(event);
  const children = new Set(goods(event, ["childEPCs"], ["childQuantityList"]));
  return ties
    .filter((tie) => children.has(tie.epc) && ["self", "container"].includes(tie.relation))
    .filter((tie) => tie.from <= from && from <= tie.to)
    .map((tie) => ({ epc, relation: "container", from, to: Math.min(tie.to, taken(events, epc, tie.epc, from)) }));
}

/** When `child` was taken out of `parent` after `from`; a removal without children empties it. */
function taken(events, parent, child, from) {
  const times = events
    .filter((event) => event.action === "DELETE" && typeof event.parentID === "string")
    .filter((event) => canonicalOrSame(event.parentID) === parent && timeOf(event) > from)
    .filter((event) => {
      const children = goods(event, ["childEPCs"], ["childQuantityList"]);
      return children.length === 0 || children.includes(child);
    })
    .map(timeOf);
  return Math.min(Infinity, ...times);
}

function makings(event, ties) {
  const outputs = new Set(outputsOf(event));
  const to = timeOf(event);
  const made = ties.some((tie) => outputs.has(tie.epc) && tie.relation !== "container" && to <= tie.to);
  if (!made) return [];
  const inputs = goods(event, ["inputEPCList"], ["inputQuantityList"]);
  return inputs.map((epc) => ({ epc, relation: "input", from: -Infinity, to }));
}

/** What came out of a making, canonical. */
export const outputsOf = (event) => goods(event, ["outputEPCList"], ["outputQuantityList"]);

/** Every identifier of goods that an event names, canonical. */
export function mentioned(event) {
  const parent = typeof event.parentID === "string" ? [canonicalOrSame(event.parentID)] : [];
  return [...goods(event, EPC_LISTS, QUANTITY_LISTS), ...parent];
}

function goods(event, epcLists, quantityLists) {
  const epcs = epcLists.flatMap((name) => listed(event[name]));
  const classes = quantityLists.flatMap((name) => listed(event[name])).map((element) => element?.epcClass);
  return [...epcs, ...classes].filter((epc) => typeof epc === "string").map(canonicalOrSame);
}

const listed = (value) => (Array.isArray(value) ? value : []);
const timeOf = (event) => parseTime(String(event.eventTime ?? "")) ?? 0;
