// The first page of a node: what it is, an item to try, the log's state, a proof file to check.
import { h, show } from "./dom.js";
import { numberText, twin, word } from "./language.js";
import { identifierOf, shortName } from "./model/identifier.js";
import { readerOf } from "./model/attributes.js";
import { main, start } from "./shell.js";
import { fileCard } from "./view/file.js";
import { canonicalOrSame, parseCheckpoint, parseNote } from "../verify/index.js";

const RECENT_MAX = 6;
const state = { log: { kind: "loading" }, recent: [], refused: false };

function draw() {
  show(
    main(),
    h("header", { class: "item-head" }, h("h1", {}, word("landing.title"))),
    h("p", { class: "lead" }, word("landing.text")),
    tryCard(),
    logCard(),
    fileCard(),
    developersCard(),
  );
}

// Made once: what somebody types stays, with the cursor in it, when news of the node come in.
const input = h("input", { type: "text", name: "link", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 500, placeholder: "https://id.gs1.org/01/…/21/…" });
const refused = h("div");
const recent = h("div");
const log = h("div");

function tryCard() {
  const submit = (event) => {
    event.preventDefault();
    const path = pathOf(input.value.trim());
    state.refused = path === null;
    drawRefused();
    if (path) location.assign(path);
  };
  drawRefused();
  drawRecent();
  return h(
    "section",
    { class: "card", "aria-labelledby": "try-title" },
    h("h2", { id: "try-title" }, word("landing.try")),
    h(
      "form",
      { onsubmit: submit },
      h("label", { class: "field" }, word("landing.try.label"), input),
      refused,
      h("button", { class: "button", type: "submit" }, word("landing.try.go")),
    ),
    recent,
  );
}

const drawRefused = () => show(refused, state.refused ? h("p", { class: "bad", role: "alert" }, word("landing.try.bad")) : null);
const drawRecent = () =>
  show(recent, state.recent.length ? h("ul", { class: "recent", "aria-label": word("landing.recent") }, state.recent.map(recentItem)) : null);

const recentItem = ({ path, name }) =>
  h("li", {}, h("a", { href: path }, h("span", {}, twin(name.en, name.zh) || word("landing.unnamed", { gtin: path.split("/")[2] })), h("span", {}, shortName(`https://id.gs1.org${path}`))));

/** The path below this node for a Digital Link, or for a GTIN and a serial number; null for others. */
function pathOf(text) {
  const plain = /^([0-9]{8,14})[\s,/]+(\S{1,20})$/.exec(text);
  const link = /^https?:\/\//.test(text) ? text : plain ? `https://id.gs1.org/01/${plain[1].padStart(14, "0")}/21/${encodeURIComponent(plain[2])}` : `https://id.gs1.org${text}`;
  const canonical = canonicalOrSame(link);
  return canonical.startsWith("https://id.gs1.org/01/") && identifierOf(new URL(canonical).pathname)?.serial
    ? new URL(canonical).pathname
    : null;
}

function logCard() {
  drawLog();
  return h("section", { class: "card", "aria-labelledby": "log-title" }, h("h2", { id: "log-title" }, word("landing.log")), log);
}

function drawLog() {
  const { kind } = state.log;
  show(
    log,
    kind === "read"
      ? h("dl", { class: "facts" }, factsOf(state.log).map(([name, value]) => h("div", {}, h("dt", {}, word(`landing.${name}`)), h("dd", {}, value))))
      : h("p", { class: "fine", role: "status" }, word(kind === "loading" ? "loading" : "landing.log.unreachable")),
  );
}

const factsOf = (read) => [
  ["origin", read.checkpoint.origin],
  ["size", numberText(read.checkpoint.size)],
  ["root", h("code", {}, read.root)],
  ["signatures", signersOf(read).join(word("list.comma"))],
];

/** The members that signed, by their labels; the log's own name where nobody else has. */
function signersOf({ names, checkpoint: { origin } }) {
  const labels = names.filter((name) => name.startsWith(`${origin}/`)).map((name) => name.slice(origin.length + 1));
  return [...new Set(labels.length ? labels : names)];
}

const developersCard = () =>
  h(
    "section",
    { class: "card", "aria-labelledby": "developers-title" },
    h("h2", { id: "developers-title" }, word("landing.developers")),
    h(
      "ul",
      { class: "hints" },
      [["/docs", "reference"], ["/openapi.json", "openapi"], ["/log/checkpoint", "checkpoint"]].map(([href, name]) =>
        h("li", {}, h("a", { href }, word(`landing.${name}`))),
      ),
    ),
  );

async function loadLog() {
  try {
    const response = await fetch("/log/checkpoint", { cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    const note = parseNote(await response.text());
    state.log = { kind: "read", checkpoint: parseCheckpoint(note.text), root: note.text.split("\n")[2], names: note.signatures.map(({ name }) => name) };
  } catch {
    state.log = { kind: "unreachable" };
  }
  drawLog();
}

/** Items to try, out of the latest makings and sales. Unchecked here: their own page checks them. */
async function loadRecent() {
  try {
    const steps = encodeURIComponent("commissioning|stocking|retail_selling|destroying");
    const response = await fetch(`/events?EQ_bizStep=${steps}&perPage=20`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    const document = await response.json();
    state.recent = recentOf(document?.epcisBody?.queryResults?.resultsBody?.eventList ?? []);
    drawRecent();
  } catch {
    // Without a list the page is as good: the field stands above it.
  }
}

function recentOf(events) {
  const names = new Map();
  const items = new Map();
  for (const event of events) {
    const reader = readerOf(event);
    const name = reader.pair(event.ilmd, "descriptionShort");
    for (const epc of [...(event.outputEPCList ?? []), ...(event.epcList ?? [])]) {
      const canonical = canonicalOrSame(epc);
      const path = canonical.startsWith("https://id.gs1.org/01/") ? new URL(canonical).pathname : null;
      if (!path || !path.includes("/21/")) continue;
      if (name.en || name.zh) names.set(path.split("/")[2], name);
      // An item that something particular happened to says more than one of a row.
      const weight = (event.epcList?.length === 1 ? 2 : 0) + (event.ilmd ? 0 : 1);
      items.set(path, Math.max(weight, items.get(path) ?? 0));
    }
  }
  const nameOf = (path) => names.get(path.split("/")[2]) ?? { en: "", zh: "" };
  return [...items].sort((left, right) => right[1] - left[1]).slice(0, RECENT_MAX).map(([path]) => ({ path, name: nameOf(path) }));
}

start(draw);
loadLog();
loadRecent();
