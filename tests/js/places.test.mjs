// What is shown of places without a name, and of time zones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { placeName } from "../../api/web/static/page/model/identifier.js";

globalThis.document = { documentElement: { lang: "en" } };
const { zoneName } = await import("../../api/web/static/page/language.js");

test("a place without a name is called by its GLN, in any spelling", () => {
  assert.equal(placeName("urn:epc:id:sgln:9521001.00000.0"), "GLN 9521001000000");
  assert.equal(placeName("https://id.gs1.org/414/9521001000000/254/D1"), "GLN 9521001000000 / D1");
  assert.equal(placeName("https://example.com/docks/7"), "https://example.com/docks/7");
});

test("a zone is named by its distance from UTC", () => {
  assert.deepEqual([0, 480, -210, 345].map(zoneName), ["UTC", "UTC+8", "UTC−3:30", "UTC+5:45"]);
});
