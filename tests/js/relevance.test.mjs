// A true record of something else must not pass for one of the scanned item.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concerned } from "../../api/web/static/page/model/relevance.js";

const ITEM = "https://id.gs1.org/01/09521002000016/21/A1";
const OTHER = "https://id.gs1.org/01/09521002000016/21/B2";
const CASE = "https://id.gs1.org/00/195210020000000419";
const PALLET = "https://id.gs1.org/00/395210020000000079";
const at = (hour, fields) => ({ result: { outcome: "valid" }, bundle: { event: { eventTime: `2026-01-01T${hour}:00:00Z`, ...fields } } });
const seen = (hour, epc) => at(hour, { type: "ObjectEvent", action: "OBSERVE", epcList: [epc] });
const packed = (hour, action, parent, ...children) => at(hour, { type: "AggregationEvent", action, parentID: parent, ...(children.length ? { childEPCs: children } : {}) });
const relations = (entries, epc = ITEM) => {
  const { related, leftOut } = concerned(entries, { epc, lot: null });
  return [related.map(({ relation }) => relation), leftOut];
};

test("another item's event is left out", () => assert.deepEqual(relations([seen("01", ITEM), seen("02", OTHER)]), [["self"], 1]));

test("a container counts only while the item is in it", () => {
  const entries = [seen("00", CASE), packed("01", "ADD", CASE, ITEM), seen("02", CASE), packed("03", "DELETE", CASE, ITEM), seen("04", CASE)];
  assert.deepEqual(relations(entries), [["self", "container", "self"], 2]);
});

test("an unpacking without children empties the container", () => {
  assert.deepEqual(relations([packed("01", "ADD", CASE, ITEM), packed("02", "DELETE", CASE), seen("03", CASE)]), [["self", "container"], 1]);
});

test("packings nest, whatever the order of the entries", () => {
  const entries = [seen("05", PALLET), packed("02", "ADD", PALLET, CASE), packed("01", "ADD", CASE, ITEM)];
  assert.deepEqual(relations(entries), [["container", "container", "self"], 0]);
});

test("taken out of the case, the item leaves the pallet with it", () => {
  const entries = [packed("01", "ADD", CASE, ITEM), packed("02", "ADD", PALLET, CASE), packed("03", "DELETE", CASE, ITEM), seen("04", PALLET)];
  assert.deepEqual(relations(entries), [["self", "container", "self"], 1]);
});

test("inputs count until the making, and not after", () => {
  const lot = "https://id.gs1.org/01/09521001000017/10/L1";
  const lots = (hour) => at(hour, { type: "ObjectEvent", action: "OBSERVE", quantityList: [{ epcClass: lot }] });
  const making = at("02", { type: "TransformationEvent", inputQuantityList: [{ epcClass: lot }], outputEPCList: [ITEM] });
  assert.deepEqual(relations([lots("01"), making, lots("03")]), [["input", "self"], 1]);
});

test("spellings of one identifier are one", () => {
  assert.deepEqual(relations([seen("01", "urn:epc:id:sgtin:9521002.000001.A1")]), [["self"], 0]);
});

test("an entry that failed its check is never left out", () => {
  const bad = { ...seen("01", OTHER), result: { outcome: "invalid" } };
  assert.deepEqual(relations([bad]), [[null], 0]);
});
