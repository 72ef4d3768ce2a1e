// Making elements. Data only ever becomes text or an attribute's value, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: `h("p", {class: "note"}, "text", child, …)`; null children are left out. */
export const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined).map(plain));
  return element;
}

/** Characters that turn the direction of what follows: a name must not rewrite the words beside it. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
export const plain = (child) => (typeof child === "string" ? child.replace(TURNING, "") : child);

/** Puts `children` in place of all that `element` held. */
export function show(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
}
