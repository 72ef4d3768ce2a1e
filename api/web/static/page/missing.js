// The page behind a code without a record (status 404).
import { h, show } from "./dom.js";
import { word } from "./language.js";
import { main, start } from "./shell.js";
import { missingPage } from "./view/missing.js";

start(
  () => show(main(), missingPage()),
  () => [h("a", { href: "/" }, word("foot.home"))],
);
