// Reads {"bundles": [base64], "trusts": [object | null]} from standard input and writes the outcome and
// the deciding step of every pair. Used by tests/api/web/test_differential.py.
import { CheckFailed, loadCrypto, readTrust, verifyFile } from "../../api/web/static/verify/index.js";

const crypto = await loadCrypto(process.argv.includes("--bundled") ? { subtle: null } : {});
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { cases } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const answers = [];
for (const { bundle, trust } of cases) {
  let read = null;
  try {
    read = trust === null ? null : await readTrust(crypto, trust);
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
    answers.push("trust refused");
    continue;
  }
  const { outcome, steps } = await verifyFile(new Uint8Array(Buffer.from(bundle, "base64")), read, crypto);
  answers.push(`${outcome} ${steps.find((step) => step.outcome === outcome).name}`);
}
process.stdout.write(JSON.stringify(answers));
