// The page's event hash against the reference's goldens. Run by tests/api/web/test_javascript.py, which
// gives the folder of the public data.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventHashId, loadCrypto, preHash } from "../../api/web/static/verify/index.js";

const folder = join(process.env.TALLY_SHARED_DATA, "epcis", "hashes");
const crypto = await loadCrypto();
const lines = (name) => readFileSync(join(folder, name), "utf8").trim().split(/\s+/);

for (const name of readdirSync(folder).filter((file) => file.endsWith(".jsonld"))) {
  const document = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const body = document.epcisBody;
  const events = body.eventList ?? body.queryResults.resultsBody.eventList;
  const golden = lines(name.replace(".jsonld", ".hashes"));
  test(`${name}: all ${golden.length} golden ids`, async () => {
    assert.equal(events.length, golden.length);
    for (const [index, event] of events.entries()) {
      const whole = { ...event, "@context": [document["@context"], event["@context"] ?? []].flat() };
      assert.equal(await eventHashId(crypto, whole), golden[index], preHash(whole));
    }
  });
}
