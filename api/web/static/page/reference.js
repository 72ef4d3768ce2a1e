// The page at /docs: the node's OpenAPI document as people read it.
import { h, show } from "./dom.js";
import { word } from "./language.js";
import { operationsByTag } from "./model/openapi.js";
import { main, start } from "./shell.js";
import { tagCard } from "./view/reference.js";

const ADDRESS = "/openapi.json";
let state = { kind: "loading" };

const CONTENT = {
  loading: () => [h("p", { class: "fine", role: "status" }, "Fetching the OpenAPI document …")],
  unreachable: () => [
    h("p", { class: "bad", role: "alert" }, "The OpenAPI document could not be fetched."),
    h("p", {}, h("button", { type: "button", class: "button", onclick: load }, "Try again")),
  ],
  read: ({ document: read }) => operationsByTag(read).map((group) => tagCard(group, location.origin)),
};

/** The document is in English: only header and footer change with the language. */
function draw() {
  const open = new Set([...document.querySelectorAll("details[open][id]")].map(({ id }) => id));
  main().lang = "en";
  show(
    main(),
    h("header", { class: "item-head" }, h("h1", {}, "HTTP interface")),
    h("p", { class: "lead" }, state.document?.info?.description ?? ""),
    h("p", { class: "fine" }, "For programs: ", h("a", { href: ADDRESS }, "the OpenAPI document"), "."),
    CONTENT[state.kind](state),
  );
  for (const id of open) document.getElementById(id).open = true;
  main().dataset.state = state.kind;
}

async function load() {
  state = { kind: "loading" };
  draw();
  try {
    const response = await fetch(ADDRESS, { headers: { Accept: "application/json" }, cache: "no-cache" });
    if (!response.ok) throw new Error(String(response.status));
    state = { kind: "read", document: await response.json() };
  } catch {
    state = { kind: "unreachable" };
  }
  draw();
  unfold();
}

/** An address with an operation's id in it leads to that operation. */
function unfold() {
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted instanceof HTMLDetailsElement) {
    wanted.open = true;
    wanted.scrollIntoView();
  }
}

start(draw, () => [h("a", { href: "/" }, word("foot.home"))]);
window.addEventListener("hashchange", unfold);
load();
