import { html } from "hono/html";

import { ERRORS } from "../errors";
import type { OpenApiDocument } from "./openapi";

type Schema = Record<string, unknown>;

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description?: string }>;
}

const METHODS = ["get", "post", "patch", "put", "delete"] as const;

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--quiet:#777}
body{font:15px/1.5 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:15rem minmax(0,60rem);gap:2rem}
nav{position:sticky;top:0;max-height:100vh;overflow:auto;padding:1rem;font-size:13px;border-right:1px solid var(--line)}
nav ul{list-style:none;margin:0 0 1rem;padding:0}main{padding:1rem 1rem 6rem}
a{color:inherit}nav a{text-decoration:none}nav a:hover{text-decoration:underline}
article{border:1px solid var(--line);border-radius:8px;padding:0 1rem 1rem;margin:1rem 0}
h3{font:600 15px ui-monospace,monospace;overflow-wrap:anywhere}h3 b{text-transform:uppercase;margin-right:.5em}
table{border-collapse:collapse;width:100%;font-size:13px}td,th{text-align:left;vertical-align:top;padding:.25rem .5rem;border-top:1px solid var(--line)}
code,pre{font:13px ui-monospace,monospace}pre{overflow:auto;border:1px solid var(--line);border-radius:6px;padding:.75rem}
small,.quiet{color:var(--quiet)}summary{cursor:pointer}
@media(max-width:50rem){body{display:block}nav{position:static;max-height:45vh;border:0;border-bottom:1px solid var(--line)}}`;

/** The API's documentation as one page without any script, font or picture from elsewhere, so that it works offline. */
export function docsPage(document: OpenApiDocument) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation: unknown = item[method];
      return isOperation(operation) ? [{ path, method, operation }] : [];
    }),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? "Other"))];
  const schemas = Object.entries(document.components.schemas ?? {});
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title} API</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <nav>
          <p><strong>${document.info.title} API</strong><br /><a href="/v1/openapi.json">openapi.json</a></p>
          ${tags.map(
            (tag) =>
              html`<strong>${tag}</strong>
                <ul>
                  ${operations
                    .filter(({ operation }) => (operation.tags?.[0] ?? "Other") === tag)
                    .map(
                      ({ path, method, operation }) =>
                        html`<li><a href="#${anchor(method, path)}">${operation.summary ?? path}</a></li>`,
                    )}
                </ul>`,
          )}
          <p><a href="#errors">Errors</a><br /><a href="#schemas">Schemas</a></p>
        </nav>
        <main>
          <h1>${document.info.title} API</h1>
          <p>${prose(document.info.description)}</p>
          <pre>curl -H "Authorization: Bearer $KEY" "$HOST/v1/contacts?limit=10"</pre>
          ${operations.map(showOperation)}
          <h2 id="errors">Errors</h2>
          <table>
            ${Object.entries(ERRORS).map(
              ([code, [status, title]]) =>
                html`<tr id="error-${code}">
                  <td><code>${code}</code></td>
                  <td>${status}</td>
                  <td>${title}</td>
                </tr>`,
            )}
          </table>
          <h2 id="schemas">Schemas</h2>
          ${schemas.map(
            ([name, schema]) =>
              html`<article id="schema-${name}">
                <h3>${name}</h3>
                <pre>${JSON.stringify(schema, null, 2)}</pre>
              </article>`,
          )}
        </main>
      </body>
    </html>`;
}

function isOperation(value: unknown): value is Operation {
  return typeof value === "object" && value !== null && "responses" in value;
}

/** Text in which backticks set code. */
function prose(text = "") {
  return text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));
}

function anchor(method: string, path: string): string {
  return `${method}${path.replaceAll(/[^\w]+/g, "-")}`;
}

function showOperation({ path, method, operation }: { path: string; method: string; operation: Operation }) {
  const parameters = operation.parameters ?? [];
  return html`<article id="${anchor(method, path)}">
    <h3><b>${method}</b>${path}</h3>
    <p>${prose(operation.summary)}. <span class="quiet">${prose(operation.description)}</span></p>
    ${
      parameters.length === 0
        ? ""
        : html`<table>
            ${parameters.map(
              (parameter) =>
                html`<tr>
                  <td><code>${parameter.name}</code></td>
                  <td class="quiet">${parameter.in}${parameter.required ? ", needed" : ""}</td>
                  <td>${typeName(parameter.schema)} ${prose(parameter.description)}</td>
                </tr>`,
            )}
          </table>`
    }
    ${operation.requestBody ? html`<p>Body: ${bodyOf(operation.requestBody)}</p>` : ""}
    <table>
      ${Object.entries(operation.responses)
        .filter(([status]) => Number(status) < 400)
        .map(
          ([status, answer]) =>
            html`<tr>
              <td>${status}</td>
              <td>${prose(answer.description)}</td>
              <td>${bodyOf(answer)}</td>
            </tr>`,
        )}
    </table>
    <small
      >Errors:
      ${Object.keys(operation.responses)
        .filter((status) => Number(status) >= 400)
        .join(", ")}</small
    >
  </article>`;
}

/** A link to the schema where it has a name, otherwise the schema itself. */
function bodyOf({ content }: Content) {
  const schema = Object.values(content ?? {})[0]?.schema;
  if (!schema) return "";
  const name = refName(schema);
  if (name !== null) return html`<a href="#schema-${name}">${name}</a>`;
  return html`<details>
    <summary>${typeName(schema)}</summary>
    <pre>${JSON.stringify(schema, null, 2)}</pre>
  </details>`;
}

function refName(schema: unknown): string | null {
  if (typeof schema !== "object" || schema === null || !("$ref" in schema)) return null;
  return typeof schema.$ref === "string" ? (schema.$ref.split("/").at(-1) ?? null) : null;
}

/** A schema's type in a word: `Contact`, `list of Contact`, `integer`, `a | b`. */
function typeName(schema: Schema | undefined): string {
  if (!schema) return "";
  const name = refName(schema);
  if (name !== null) return name;
  if (Array.isArray(schema.enum)) return schema.enum.map(String).join(" | ");
  const { properties } = schema;
  if (typeof properties === "object" && properties !== null && "items" in properties) {
    const { items } = properties;
    const item = typeof items === "object" && items !== null && "items" in items ? refName(items.items) : null;
    if (item !== null) return `list of ${item}`;
  }
  return Array.isArray(schema.type)
    ? schema.type.join(" | ")
    : typeof schema.type === "string"
      ? schema.type
      : "object";
}
