// The pages for codes that lead to no record: unknown ones, and those that name a kind of goods.
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
      codeAndBack(),
    ),
  ];
}

export function classPage() {
  return [
    h(
      "section",
      { class: "banner", "data-outcome": "not-checked" },
      mark("not-checked", 40),
      h("div", { class: "banner-text" }, h("h1", {}, word("class.title")), h("p", {}, word("class.text"))),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, word("missing.hint.title")),
      h("ul", { class: "hints" }, h("li", {}, word("class.hint"))),
      codeAndBack(),
    ),
  ];
}

const codeAndBack = () => [
  h("p", { class: "fine" }, word("missing.code"), ": ", h("code", {}, document.body.dataset.path)),
  h("p", {}, h("a", { class: "button", href: "/" }, word("missing.back"))),
];
