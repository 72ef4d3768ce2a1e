// The verdict in plain words, and behind it what was checked.
import { h } from "../dom.js";
import { numberText, word } from "../language.js";
import { EVIDENCE_SUFFIX } from "../../verify/index.js";
import { download } from "./independent.js";
import { mark } from "./icons.js";

const STEPS = ["event", "batch", "leaf", "inclusion", "checkpoint"];

/** The banner of a check's outcome. */
export function verdictBanner(check, steps) {
  const firstBad = steps.find(({ outcome }) => outcome === "invalid")?.number;
  const count = check.entries.length;
  const bad = check.entries.filter(({ result }) => result.outcome === "invalid").length;
  const broken = check.history?.kind === "broken";
  return banner(
    check.outcome,
    word(broken ? "verdict.history" : `verdict.${check.outcome}`),
    broken ? h("p", {}, word("verdict.history.text", { origin: check.trust.origin })) : null,
    broken ? evidenceLink(check) : null,
    broken && bad === 0 && !check.other ? null : h("p", {}, reasonOf(check, count, bad)),
    check.outcome === "valid" ? h("p", { class: "fine" }, word("verdict.limits")) : null,
    bad ? h("p", {}, h("a", { href: `#step-${firstBad}` }, word("verdict.show"))) : null,
    check.source ? checked(check) : null,
  );
}

function reasonOf(check, count, bad) {
  const { outcome, trust, signed } = check;
  if (outcome === "invalid" && bad === 0) return word("verdict.invalid.other");
  // Members have signed, but not enough of them yet: that is another matter than no trust at all.
  if (outcome === "unknown" && signed.length > 0 && signed.length < trust.threshold) {
    return word("verdict.unknown.few", { signed: signed.length, count: trust.members, threshold: trust.threshold });
  }
  return word(`verdict.${outcome}.text`, { count, bad });
}

/** Both checkpoints, to be kept and shown to others: nobody can take them back. */
const evidenceLink = ({ history }) =>
  h(
    "p",
    {},
    h("a", { class: "button", ...download(history.evidence, `fork${EVIDENCE_SUFFIX}`), id: "evidence" }, word("verdict.history.save")),
    " ",
    h("span", { class: "fine" }, word("verdict.history.save.text")),
  );

/** The banner where there was nothing to check, with a way to try again. */
export const unreachableBanner = (retry) =>
  banner(
    "unknown",
    word("verdict.unreachable"),
    h("p", {}, word("verdict.unreachable.text")),
    h("button", { type: "button", class: "button", onclick: retry }, word("retry")),
  );

/** While fetching and checking. */
export const progressBanner = (text) =>
  h(
    "section",
    { class: "banner progress", role: "status" },
    h("div", { class: "spinner", "aria-hidden": "true" }),
    h("div", { class: "banner-text" }, h("p", {}, text)),
  );

const banner = (outcome, title, ...content) =>
  h(
    "section",
    { class: "banner", "data-outcome": outcome, role: outcome === "invalid" ? "alert" : "status", id: "verdict" },
    mark(outcome, 40),
    h("div", { class: "banner-text" }, h("h2", {}, title), content),
  );

function checked(check) {
  const rows = STEPS.map((step) => checkedRow(check, step));
  const log = check.entries.find(({ result }) => result.facts.checkpoint)?.result.facts.checkpoint;
  const notes = [
    word("checked.with", { source: word(`checked.${check.source}`) }),
    log ? word("checked.log", { origin: log.origin, size: numberText(log.size) }) : null,
    check.leftOut ? word("checked.left-out", { count: check.leftOut }) : null,
    check.truncated ? word("checked.truncated") : null,
    check.history && check.history.kind !== "broken" ? word(`checked.history.${check.history.kind}`) : null,
  ];
  return h(
    "details",
    { class: "checked" },
    h("summary", {}, word("checked.title")),
    h("ol", { class: "checks" }, rows),
    h("ul", { class: "fine plain" }, notes.filter(Boolean).map((note) => h("li", {}, note))),
  );
}

function checkedRow(check, step) {
  const outcomes = check.entries.map(({ result }) => result.steps.find(({ name }) => name === step)?.outcome);
  const ok = outcomes.filter((outcome) => outcome === "valid").length;
  const worst = ["invalid", "unknown"].find((outcome) => outcomes.includes(outcome));
  const outcome = worst ?? (ok === outcomes.length ? "valid" : "not-checked");
  const trust = check.trust;
  const signed = trust
    ? word("checked.signed", { signed: check.signed.length, count: trust.members, names: check.signed.join(word("list.comma")) || "–", threshold: trust.threshold })
    : word("mark.unknown");
  return h(
    "li",
    {},
    mark(outcome, 20),
    h(
      "div",
      {},
      h(
        "p",
        { class: "check-head" },
        h("strong", {}, word(`checked.${step}`)),
        h("span", { class: "sr" }, word(`mark.${outcome}`)),
        h("span", { class: "tally" }, word("checked.count", { ok, count: outcomes.length })),
      ),
      h("p", {}, word(`checked.${step}.text`, { signed })),
    ),
  );
}
