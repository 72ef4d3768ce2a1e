// The page behind a code that names a kind of goods, of which only single items have records (404).
import { h, show } from "./dom.js";
import { word } from "./language.js";
import { main, start } from "./shell.js";
import { classPage } from "./view/missing.js";

start(
  () => show(main(), classPage()),
  () => [h("a", { href: "/" }, word("foot.home"))],
);
