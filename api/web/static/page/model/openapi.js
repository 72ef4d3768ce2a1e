// An OpenAPI 3.1 document, read for the reference page: operations by tag, schemas as fields, examples.

const DEPTH_MAX = 5;
const FIELDS_MAX = 60;
const OPERATIONS_MAX = 500;
const METHODS = ["get", "post", "put", "patch", "delete"];
const EXPECTED = "application/problem+json";

/** `[{tag, operations: [{id, method, path, …}]}]` in the order of the document. */
export function operationsByTag(document) {
  const tags = new Map();
  let count = 0;
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (!operation || (count += 1) > OPERATIONS_MAX) continue;
      const tag = operation.tags?.[0] ?? "other";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(operationOf(document, path, method, methods.parameters ?? [], operation));
    }
  }
  return [...tags].map(([tag, operations]) => ({ tag, operations }));
}

function operationOf(document, path, method, shared, operation) {
  const body = Object.entries(operation.requestBody?.content ?? {});
  return {
    id: String(operation.operationId ?? `${method} ${path}`),
    method,
    path,
    summary: operation.summary ?? "",
    description: operation.description ?? "",
    needsKey: (operation.security ?? document.security ?? []).length > 0,
    parameters: [...shared, ...(operation.parameters ?? [])].map((one) => parameterOf(document, one)),
    body: body.length ? { media: body.map(([media]) => media), ...contentOf(document, body[0][1]) } : null,
    responses: Object.entries(operation.responses ?? {}).map(([status, one]) => responseOf(document, status, one)),
  };
}

function parameterOf(document, given) {
  const parameter = resolved(document, given);
  const schema = resolved(document, parameter.schema);
  return {
    name: String(parameter.name),
    place: String(parameter.in),
    required: parameter.required === true,
    description: parameter.description ?? schema.description ?? "",
    type: typeName(document, parameter.schema),
    example: parameter.example ?? schema.example ?? schema.examples?.[0],
  };
}

function responseOf(document, status, given) {
  const response = resolved(document, given);
  const content = Object.entries(response.content ?? {});
  const told = content.find(([media]) => media !== EXPECTED);
  return {
    status,
    description: response.description ?? "",
    media: content.map(([media]) => media),
    headers: Object.keys(response.headers ?? {}),
    problem: Number(status) >= 400 && !told,
    ...(told ? contentOf(document, told[1]) : { fields: [], type: "", example: undefined }),
  };
}

function contentOf(document, media) {
  const schema = media.schema ?? {};
  const example = media.example ?? Object.values(media.examples ?? {})[0]?.value;
  return { type: typeName(document, schema), fields: fieldsOf(document, schema), example: example ?? exampleOf(document, schema) };
}

/** What a local `$ref` stands for; anything else as it is. */
export function resolved(document, schema) {
  let found = schema ?? {};
  for (let steps = 0; typeof found?.$ref === "string" && steps < DEPTH_MAX; steps += 1) {
    const names = found.$ref.replace(/^#\//, "").split("/");
    found = names.reduce((place, name) => (place && Object.hasOwn(place, name) ? place[name] : undefined), document);
  }
  return typeof found === "object" && found !== null ? found : {};
}

/** "integer, 1 to 1000, default 30". */
export function typeName(document, given, depth = 0) {
  const schema = resolved(document, given);
  if (depth > DEPTH_MAX) return "…";
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((one) => typeName(document, one, depth + 1)))].join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" or ") + defaultOf(schema);
  if (schema.type === "array") return `list of ${typeName(document, schema.items, depth + 1)}`;
  const name = [schema.format === "binary" ? "bytes" : (schema.type ?? "any value")];
  if (schema.format && schema.format !== "binary") name.push(schema.format);
  if (schema.minimum !== undefined && schema.maximum !== undefined) name.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.minLength !== undefined || schema.maxLength !== undefined) name.push(`${schema.minLength ?? 0} to ${schema.maxLength ?? "any number of"} characters`);
  if (schema.pattern) name.push(`as ${schema.pattern}`);
  return name.join(", ") + defaultOf(schema);
}

const defaultOf = ({ default: value }) => (value === undefined || value === null ? "" : `, default ${JSON.stringify(value)}`);

/** `[{name, type, required, description, fields}]` of an object, or of the objects in a list. */
export function fieldsOf(document, given, depth = 0) {
  if (depth > DEPTH_MAX) return [];
  const schema = objectIn(document, given);
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .slice(0, FIELDS_MAX)
    .map(([name, field]) => ({
      name,
      type: typeName(document, field),
      required: required.has(name),
      description: field.description ?? resolved(document, field).description ?? "",
      fields: fieldsOf(document, field, depth + 1),
    }));
}

/** The object schema behind lists and choices. */
function objectIn(document, given) {
  let schema = resolved(document, given);
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const next = schema.items ?? (schema.anyOf ?? schema.oneOf)?.find((one) => resolved(document, one).type !== "null");
    if (!next) break;
    schema = resolved(document, next);
  }
  return schema;
}

const PLAIN = { string: "…", integer: 0, number: 0, boolean: true, null: null };

/** A value of the schema's shape: its own examples where it has some. */
export function exampleOf(document, given, depth = 0) {
  const schema = resolved(document, given);
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum?.length) return schema.enum[0];
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices?.length) return exampleOf(document, choices[0], depth + 1);
  if (depth > DEPTH_MAX) return null;
  if (schema.type === "array") return schema.items ? [exampleOf(document, schema.items, depth + 1)] : [];
  if (schema.format === "date-time") return "2026-01-01T00:00:00.000Z";
  if (schema.format === "binary") return undefined;
  if (schema.type === "object" || schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).slice(0, FIELDS_MAX).map(([name, field]) => [name, exampleOf(document, field, depth + 1)]));
  }
  return schema.type in PLAIN ? PLAIN[schema.type] : null;
}

/** A command line to paste. What has no example stands in it as <name>. */
export function curlOf(operation, origin) {
  const value = (parameter) => (parameter.example === undefined ? `<${parameter.name}>` : encodeURIComponent(String(parameter.example)));
  const inPath = operation.parameters.filter(({ place }) => place === "path");
  const path = inPath.reduce((text, one) => text.split(`{${one.name}}`).join(value(one)), operation.path);
  const asked = operation.parameters
    .filter(({ place, required, example }) => place === "query" && (required || example !== undefined))
    .map((one) => `${encodeURIComponent(one.name)}=${value(one)}`);
  const media = operation.responses.find(({ status }) => status.startsWith("2"))?.media ?? [];
  const parts = [`curl ${quoted(`${origin}${path}${asked.length ? `?${asked.join("&")}` : ""}`)}`];
  if (operation.method !== "get") parts.push(`-X ${operation.method.toUpperCase()}`);
  if (media.length > 1 && media.includes("application/json")) parts.push(`-H ${quoted("Accept: application/json")}`);
  if (media.some((one) => /octet-stream|^image\/(?!svg)/.test(one)) && media.length === 1) parts.push("-o answer.bin");
  if (operation.needsKey) parts.push('-H "Authorization: Bearer $TALLY_API_KEY"');
  if (operation.body) {
    parts.push(`-H ${quoted(`Content-Type: ${operation.body.media[0]}`)}`);
    if (operation.body.example !== undefined) parts.push(`-d ${quoted(JSON.stringify(operation.body.example))}`);
  }
  return parts.join(" \\\n  ");
}

/** One word of a POSIX shell. */
const quoted = (text) => `'${text.split("'").join("'\\''")}'`;
