// The reference's cards: one a tag, in it one fold an operation. English, like the document it tells.
import { h } from "../dom.js";
import { curlOf } from "../model/openapi.js";

const TITLES = {
  node: "The node",
  capture: "Capturing events",
  query: "Asking for events",
  log: "The transparency log",
  proofs: "Proofs",
  items: "Items and labels",
  consortium: "Members and votes",
  network: "The consortium's nodes",
  notices: "Notices",
  oauth: "Access tokens",
  transactions: "Transactions of one's own accounts",
  receipts: "Warehouse receipts",
  stock: "Counted stock",
  claims: "Claims to goods and invoices",
  pledges: "Pledges",
  receivables: "Receivables",
  loans: "Loans and their prices",
  deposits: "Deposits and clearing",
  settlements: "Settlement",
  pools: "Asset pools",
  webhooks: "Webhooks",
};

/** One card for the operations of a tag. */
export function tagCard({ tag, operations }, origin) {
  return h(
    "section",
    { class: "card", "aria-labelledby": `tag-${tag}` },
    h("h2", { id: `tag-${tag}` }, TITLES[tag] ?? tag),
    operations.map((operation) => operationFold(operation, origin)),
  );
}

function operationFold(operation, origin) {
  const { id, method, path, summary } = operation;
  return h(
    "details",
    { class: "operation", id },
    h(
      "summary",
      {},
      h("span", { class: "method", "data-method": method }, method.toUpperCase()),
      h("code", {}, path),
      h("span", { class: "fine" }, summary),
    ),
    h(
      "div",
      { class: "operation-body" },
      operation.description ? h("p", {}, code(operation.description)) : null,
      operation.needsKey ? h("p", { class: "fine" }, "Needs the bearer key of an organisation.") : null,
      command(curlOf(operation, origin)),
      parameters(operation.parameters),
      requestBody(operation.body),
      responses(operation.responses),
    ),
  );
}

/** Text whose `backticks` mark code. */
const code = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

function command(text) {
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  };
  return [
    h("h3", {}, "Command line"),
    h("pre", { tabindex: "0" }, h("code", { class: "command" }, text)),
    // Only pages from https or this machine may write to the clipboard.
    navigator.clipboard ? h("p", { class: "buttons" }, h("button", { class: "button quiet", type: "button", onclick: copy }, "Copy")) : null,
  ];
}

function parameters(all) {
  if (all.length === 0) return null;
  const notes = ({ place, required, type }) => [place, required ? "required" : "", type].filter(Boolean).join(" · ");
  const example = (value) => (value === undefined ? null : [" For instance ", h("code", {}, String(value)), "."]);
  return [
    h("h3", {}, "Parameters"),
    h(
      "dl",
      { class: "entries" },
      all.map((one) =>
        h(
          "div",
          {},
          h("dt", {}, h("code", {}, one.name), h("span", { class: "fine" }, notes(one))),
          one.description || one.example !== undefined ? h("dd", {}, code(one.description), example(one.example)) : null,
        ),
      ),
    ),
  ];
}

function requestBody(body) {
  if (!body) return null;
  return [
    h("h3", {}, "Request body"),
    h("p", { class: "fine" }, body.media.join(" or ")),
    shape(body),
    example("Example of the request", body.example),
  ];
}

function responses(all) {
  const told = all.filter(({ problem }) => !problem);
  const problems = all.filter(({ problem }) => problem);
  return [
    told.map((one) => [
      h("h3", {}, `Response ${one.status}: ${one.description}`),
      h("p", { class: "fine" }, [one.media.join(" or "), ...one.headers.map((name) => `header ${name}`)].filter(Boolean).join(" · ")),
      shape(one),
      example(`Example of response ${one.status}`, jsonLike(one) ? one.example : undefined),
    ]),
    problems.length
      ? [
          h("h3", {}, "Problems"),
          h("p", { class: "fine" }, "application/problem+json (RFC 7807): type, title, status, detail, sometimes errors"),
          h("dl", { class: "entries" }, problems.map(({ status, description }) => h("div", {}, h("dt", {}, h("code", {}, status), h("span", { class: "fine" }, description))))),
        ]
      : null,
  ];
}

const jsonLike = ({ media }) => media.some((one) => /json$/.test(one));

const shape = ({ fields, type }) => (fields.length ? fieldList(fields) : type && type !== "any value" ? h("p", { class: "fine" }, type) : null);

function fieldList(fields) {
  return h(
    "dl",
    { class: "entries fields" },
    fields.map(({ name, type, required, description, fields: inner }) =>
      h(
        "div",
        {},
        h("dt", {}, h("code", {}, name), h("span", { class: "fine" }, [type, required ? "" : "optional"].filter(Boolean).join(" · "))),
        description ? h("dd", {}, code(description)) : null,
        inner.length ? h("dd", {}, fieldList(inner)) : null,
      ),
    ),
  );
}

function example(title, value) {
  if (value === undefined) return null;
  return h("details", { class: "more" }, h("summary", {}, title), h("pre", { tabindex: "0" }, h("code", {}, JSON.stringify(value, null, 2))));
}
