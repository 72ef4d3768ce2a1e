// The page for a code that this node has no record of.
import { h } from "../dom.js";
import { word } from "../language.js";
import { mark } from "./icons.js";

export function missingPage() {
  const hints = [1, 2, 3].map((number) => h("li", {}, word(`missing.hint.${number}`)));
  return [
    h(
      "section",
      { class: "banner", "data-outcome": "unknown" },
      mark("unknown", 40),
      h("div", { class: "banner-text" }, h("h1", {}, word("missing.title")), h("p", {}, word("missing.text"))),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, word("missing.hint.title")),
      h("ul", { class: "hints" }, hints),
      h("p", { class: "fine" }, word("missing.code"), ": ", h("code", {}, document.body.dataset.path)),
      h("p", {}, h("a", { class: "button", href: "/" }, word("missing.back"))),
    ),
  ];
}
