// The marks of the four verdicts; shapes differ, so that colour is never needed to tell them apart.
import { s } from "../dom.js";

const SHAPES = {
  valid: ["M5.2 12.6l4.3 4.3 9.3-9.8"],
  invalid: ["M6.5 6.5l11 11", "M17.5 6.5l-11 11"],
  unknown: ["M8.4 9.2c.2-2.1 1.7-3.4 3.7-3.4 2.1 0 3.6 1.3 3.6 3.2 0 2.7-3.5 2.9-3.5 5.6", "M12.1 18v.2"],
  "not-checked": ["M6 12h12"],
  alert: ["M12 6v7.4", "M12 17.6v.2"],
};

export function mark(outcome, size = 24) {
  return s(
    "svg",
    { viewBox: "0 0 24 24", width: size, height: size, class: "mark", "data-outcome": outcome, "aria-hidden": "true" },
    s("circle", { cx: 12, cy: 12, r: 12, class: "mark-disc" }),
    SHAPES[outcome].map((d) => s("path", { d, class: "mark-line" })),
  );
}
