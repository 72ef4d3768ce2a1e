// Checking a proof file that somebody handed over: exact bytes, nothing leaves the device.
import { h, show } from "../dom.js";
import { word } from "../language.js";
import { mark } from "./icons.js";
import { CheckFailed, CheckImpossible, loadCrypto, readTrust, verifyFile } from "../../verify/index.js";

const TRUST_SIZE_BYTES_MAX = 256 * 1024;

// Made once: a page drawn anew, in another language or with news, keeps what was chosen and told.
const fileInput = (id, attributes = {}) => h("input", { type: "file", accept: ".json,application/json", id, ...attributes });
const proof = fileInput("proof-file", { required: true });
const trust = fileInput("trust-file");
const result = h("div", { class: "result", role: "status", id: "file-result" });
let tell = null;

async function submit(event) {
  event.preventDefault();
  tell = await verdictOf(proof.files[0], trust.files[0]);
  show(result, tell());
}

export function fileCard() {
  show(result, tell?.());
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

/** A function that tells the verdict in the language of the moment. */
async function verdictOf(proofFile, trustFile) {
  try {
    const crypto = await loadCrypto();
    const held = trustFile ? await trustOf(crypto, trustFile) : null;
    const verdict = await verifyFile(new Uint8Array(await proofFile.arrayBuffer()), held, crypto);
    const decided = verdict.steps.find(({ outcome }) => outcome === verdict.outcome);
    return () => told(verdict.outcome, {
      origin: verdict.facts.checkpoint?.origin ?? "?",
      reason: decided?.reason ?? "",
      step: decided?.name === "format" ? "JSON" : word(`checked.${decided?.name}`),
    });
  } catch (error) {
    if (error instanceof CheckImpossible) return () => told("not-checked", { reason: error.message });
    if (error instanceof CheckFailed) return () => h("p", { class: "bad" }, word("landing.file.bad-trust", { reason: error.message }));
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
