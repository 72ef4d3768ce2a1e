// Checking a proof file that somebody handed over: exact bytes, nothing leaves the device.
import { h, show } from "../dom.js";
import { word } from "../language.js";
import { mark } from "./icons.js";
import { CheckFailed, CheckImpossible, loadCrypto, readTrust, verifyFile } from "../../verify/index.js";

const TRUST_SIZE_BYTES_MAX = 256 * 1024;

export function fileCard() {
  const proof = h("input", { type: "file", accept: ".json,application/json", required: true, id: "proof-file" });
  const trust = h("input", { type: "file", accept: ".json,application/json", id: "trust-file" });
  const result = h("div", { class: "result", role: "status", id: "file-result" });
  const submit = async (event) => {
    event.preventDefault();
    show(result, await verdictOf(proof.files[0], trust.files[0]));
  };
  return h(
    "section",
    { class: "card", "aria-labelledby": "file-title" },
    h("h2", { id: "file-title" }, word("landing.file")),
    h("p", { class: "fine" }, word("landing.file.text")),
    h(
      "form",
      { onsubmit: submit },
      h("label", { class: "field" }, word("landing.file.proof"), proof),
      h("label", { class: "field" }, word("landing.file.trust"), trust),
      h("button", { class: "button", type: "submit" }, word("landing.file.go")),
    ),
    result,
  );
}

async function verdictOf(proofFile, trustFile) {
  try {
    const crypto = await loadCrypto();
    const trust = trustFile ? await trustOf(crypto, trustFile) : null;
    const verdict = await verifyFile(new Uint8Array(await proofFile.arrayBuffer()), trust, crypto);
    const decided = verdict.steps.find(({ outcome }) => outcome === verdict.outcome);
    return told(verdict.outcome, {
      origin: verdict.facts.checkpoint?.origin ?? "?",
      reason: decided?.reason ?? "",
      step: decided?.name === "format" ? "JSON" : word(`checked.${decided?.name}`),
    });
  } catch (error) {
    if (error instanceof CheckImpossible) return told("not-checked", { reason: error.message });
    if (error instanceof CheckFailed) return h("p", { class: "bad" }, word("landing.file.bad-trust", { reason: error.message }));
    throw error;
  }
}

async function trustOf(crypto, file) {
  if (file.size > TRUST_SIZE_BYTES_MAX) throw new CheckFailed("it is too large");
  try {
    return await readTrust(crypto, JSON.parse(await file.text()));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CheckFailed("it is not JSON");
    throw error;
  }
}

const told = (outcome, values) =>
  h(
    "div",
    { class: "banner", "data-outcome": outcome },
    mark(outcome, 28),
    h("div", { class: "banner-text" }, h("p", {}, word(`landing.file.${outcome}`, values))),
  );
