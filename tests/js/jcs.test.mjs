// RFC 8785 canonical JSON, and that one spelling only is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckFailed, canonicalText, parseCanonicalLine } from "../../api/web/static/verify/index.js";

const bytes = (text) => new TextEncoder().encode(text);

test("RFC 8785 section 3.2.2: the standard's own sample", () => {
  const sample = '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
  assert.equal(
    canonicalText(JSON.parse(sample)),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("names are sorted by UTF-16 code units, as section 3.2.3 demands", () => {
  assert.equal(canonicalText({ "\u20ac": 1, "\r": 2, "\ufb33": 3, 1: 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 }),
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
});

for (const [why, text] of [
  ["no newline", '{"a":1}'],
  ["blank", '{"a": 1}\n'],
  ["order", '{"b":1,"a":2}\n'],
  ["twice the same name", '{"a":1,"a":1}\n'],
  ["minus zero", '{"a":-0}\n'],
  ["needless exponent", '{"a":1e2}\n'],
  ["needless escape", '{"a":"\\u0041"}\n'],
  ["an integer beyond 2^53-1", '{"a":9007199254740992}\n'],
  ["the same with an exponent", '{"a":1e+21}\n'],
  ["an infinite number", '{"a":1e400}\n'],
  ["a lone surrogate", '{"a":"\\ud800"}\n'],
  ["a byte order mark", '\ufeff{"a":1}\n'],
  ["too deep", `${"[".repeat(67)}${"]".repeat(67)}\n`],
  ["not JSON", "{'a':1}\n"],
]) {
  test(`refused: ${why}`, () => assert.throws(() => parseCanonicalLine(bytes(text)), CheckFailed));
}

test("accepted: the one spelling, also of large numbers and odd names", () => {
  const text = '{"__proto__":1,"a":1e-21,"b":[1,-1.5,1e-7],"c":"€"}\n';
  assert.equal(`${canonicalText(parseCanonicalLine(bytes(text)))}\n`, text);
});
