// Both languages say the same things.
import { withoutRepeats } from "../../api/web/static/page/check.js";
import { plain } from "../../api/web/static/page/dom.js";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { EN } from "../../api/web/static/page/words/en.js";
import { ZH } from "../../api/web/static/page/words/zh.js";
import TABLES from "../../api/web/static/verify/tables/cbv.js";

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([hole]) => hole).sort();
const page = new URL("../../api/web/static/page/", import.meta.url);

test("the same keys", () => assert.deepEqual(Object.keys(ZH).sort(), Object.keys(EN).sort()));
test("the same holes", () => {
  for (const key of Object.keys(EN)) assert.deepEqual(holes(ZH[key]), holes(EN[key]), key);
});
test("a word for every business step", () => {
  for (const step of TABLES.vocabularies.bizStep.words) assert.ok(`step.${step}` in EN, step);
});
test("every plain key that the code asks for exists", () => {
  const files = readdirSync(page, { recursive: true }).filter((name) => name.endsWith(".js"));
  for (const file of files) {
    for (const [, key] of readFileSync(new URL(file, page), "utf8").matchAll(/\bword\("([^"]+)"/g)) {
      assert.ok(key in EN, `${file}: ${key}`);
    }
  }
});
test("no page ever claims that goods are genuine", () => {
  for (const text of Object.values(EN)) assert.doesNotMatch(text, /goods are genuine|genuine (product|goods)/i);
  for (const text of Object.values(ZH)) assert.doesNotMatch(text, /正品|真品|保真/);
});
test("data never becomes markup", () => {
  const files = readdirSync(page, { recursive: true }).filter((name) => name.endsWith(".js"));
  for (const file of files) {
    assert.doesNotMatch(readFileSync(new URL(file, page), "utf8"), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, file);
  }
});

test("a name cannot turn the direction of the words beside it", () => {
  assert.equal(plain("Farm \u202eelas rof ton\u202c\u2067!"), "Farm elas rof ton!");
  assert.equal(plain("\u0645\u0632\u0631\u0639\u0629 \u{1fad0}"), "\u0645\u0632\u0631\u0639\u0629 \u{1fad0}");
});

test("an entry given twice is one entry; what failed is never hidden", () => {
  const entry = (logIndex, index, outcome = "valid") => ({ bundle: { batch: { index } }, result: { outcome, facts: { logIndex } } });
  const given = [entry(1n, 0), entry(1n, 1), entry(1n, 0), entry(2n, 0), entry(1n, 0, "invalid"), entry(1n, 0, "invalid")];
  assert.deepEqual(withoutRepeats(given), [given[0], given[1], given[3], given[4], given[5]]);
});
