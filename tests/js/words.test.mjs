// Both languages say the same things.
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
