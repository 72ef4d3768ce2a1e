// How to check the record without this server: files to take away, and the command.
import { h } from "../dom.js";
import { word } from "../language.js";
import { FILE_SUFFIX, canonicalText } from "../../verify/index.js";

export function independentCard(check, steps) {
  const latest = steps.filter(({ outcome, relation }) => outcome !== "invalid" && relation === "self").at(-1);
  const trust = check.trust?.source;
  return h(
    "section",
    { class: "card independent", "aria-labelledby": "independent-title" },
    h("h2", { id: "independent-title" }, word("independent.title")),
    h("p", {}, word("independent.text")),
    h("pre", {}, h("code", {}, `tally verify ${latest ? fileName(latest) : "…" + FILE_SUFFIX} \\\n  --trust consortium.json`)),
    h(
      "p",
      { class: "buttons" },
      latest ? h("a", { class: "button", ...fileOf(latest) }, word("independent.download")) : null,
      trust ? h("a", { class: "button quiet", ...download(`${JSON.stringify(trust, null, 2)}\n`, "consortium.json") }, word("independent.trust")) : null,
    ),
    trust ? h("p", { class: "fine" }, word("independent.warning")) : null,
    trust
      ? h("details", { class: "more" }, h("summary", {}, word("independent.keys")), h("ul", { class: "keys plain" }, trust.keys.map((key) => h("li", {}, h("code", {}, key)))))
      : null,
  );
}

/** A link to one entry's proof file. */
export const proofLink = (step) => h("a", { class: "link", ...fileOf(step) }, word("journey.proof"));

const fileName = (step) => `${step.entry.bundle.eventID.slice(14, 26)}${FILE_SUFFIX}`;
const fileOf = (step) => download(`${canonicalText(step.entry.bundle)}\n`, fileName(step));

const made = new Map();

/** Attributes of a link that saves `text`; the same text keeps its address for the page's life. */
export function download(text, name) {
  if (!made.has(text)) made.set(text, URL.createObjectURL(new Blob([text], { type: "application/json" })));
  return { href: made.get(text), download: name };
}
