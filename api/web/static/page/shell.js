// What all pages share: language buttons and footer.
import "../verify/older.js";
import { h, show } from "./dom.js";
import { apply, onLanguage, setLanguage, word } from "./language.js";

/** Wires the shell up and calls `draw` now and after every change of language. */
export function start(draw, links = () => []) {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.language));
  }
  const foot = document.querySelector(".foot");
  onLanguage(() => {
    show(foot, h("p", {}, word("foot.text")), h("p", { class: "links" }, links()));
    draw();
  });
  apply();
}

export const main = () => document.getElementById("main");
