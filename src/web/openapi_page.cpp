#include "web/openapi_page.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/json.hpp>

#include <algorithm>

namespace coronado::web {
namespace {

constexpr std::string_view kStyle = R"css(
:root {
  --paper: #f3f6f7; --card: #ffffff; --ink: #10222f; --muted: #4d616f; --line: #d3dde2;
  --accent: #0b6b67; --accent-soft: #cfe7e3; --warm: #8a5a00; --hot: #b23c12; --plum: #6b3fa0; --blue: #1f5c99;
  --sans: "Inter", system-ui, -apple-system, "Segoe UI", sans-serif;
  --mono: ui-monospace, "SF Mono", "JetBrains Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0e161d; --card: #141f28; --ink: #e3ebef; --muted: #9db0bc; --line: #263642;
    --accent: #5cc8bd; --accent-soft: #17403f; --warm: #f2b84b; --hot: #ff9b73; --plum: #c5a3f0; --blue: #82b8ec;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 400 1rem/1.6 var(--sans); }
main, header { width: min(62rem, 100% - 2.5rem); margin-inline: auto; }
header { padding: 2.5rem 0 0.5rem; }
main { padding-bottom: 4rem; }
h1 { font-size: clamp(1.7rem, 4vw, 2.4rem); line-height: 1.2; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; }
h3 { font-size: 0.95rem; margin: 1.2rem 0 0.4rem; }
.muted, .version { color: var(--muted); }
.lead { max-width: 44rem; white-space: pre-line; }
a { color: var(--accent); }
details.operation { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0; }
details.operation > summary { display: flex; flex-wrap: wrap; gap: 0.2rem 0.9rem; align-items: baseline; padding: 0.6rem 0.9rem;
  cursor: pointer; list-style: none; }
details.operation > summary::-webkit-details-marker { display: none; }
summary:focus-visible, button:focus-visible, input:focus-visible, textarea:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.verb { font: 700 0.78rem/1.6 var(--mono); min-width: 4.2rem; text-transform: uppercase; color: var(--accent); }
.verb[data-verb="post"] { color: var(--warm); }
.verb[data-verb="put"], .verb[data-verb="patch"] { color: var(--plum); }
.verb[data-verb="delete"] { color: var(--hot); }
.verb[data-verb="head"], .verb[data-verb="options"] { color: var(--blue); }
.path { font-family: var(--mono); font-size: 0.95rem; overflow-wrap: anywhere; }
.deprecated .path { text-decoration: line-through; }
.inside { border-top: 1px solid var(--line); padding: 0.4rem 0.9rem 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.93rem; }
th { text-align: left; font-weight: 600; color: var(--muted); }
th, td { padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code, pre, textarea, input { font-family: var(--mono); font-size: 0.86rem; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.8rem; overflow: auto;
  max-height: 24rem; margin: 0.4rem 0; }
label { display: block; margin: 0.5rem 0; font-size: 0.9rem; }
input, textarea { display: block; width: 100%; max-width: 36rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--muted); border-radius: 6px; padding: 0.4rem 0.6rem; }
textarea { min-height: 7rem; }
button { font: 600 0.93rem var(--sans); color: var(--card); background: var(--accent); border: 0; border-radius: 6px;
  padding: 0.5rem 1.2rem; min-height: 2.4rem; cursor: pointer; margin-top: 0.4rem; }
.need { color: var(--hot); }
.error { color: var(--hot); }
)css";

constexpr std::string_view kScript = R"js(
"use strict";
// Reads the document and shows it. Text goes into the page as text, never as markup.

const verbs = ["get", "head", "post", "put", "patch", "delete", "options"];
const words = JSON.parse(document.body.dataset.words);
let schemas = {};

// A text in the language of the page, with what stands for its {names}.
function t(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value; else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const resolve = (schema) => schema && schema.$ref ? schemas[schema.$ref.split("/").pop()] : schema;

const inRow = (parts) => parts.reduce((a, b) => t("{a}, {b}", { a, b }));

// "integer (int32), 1 to 100", "list of Order", "Order or null".
function typeText(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeText).reduce((a, b) => t("{a} or {b}", { a, b }));
  if (schema.type === "array") return listText(schema);
  if (schema.additionalProperties) return t("map of {type}", { type: typeText(schema.additionalProperties) });
  let text = schema.type || t("anything");
  if (schema.format) text += " (" + schema.format + ")";
  const parts = [text];
  const least = schema.minimum, most = schema.maximum;
  if (least !== undefined && most !== undefined) parts.push(t("{least} to {most}", { least, most }));
  else if (least !== undefined) parts.push(t("at least {least}", { least }));
  else if (most !== undefined) parts.push(t("at most {most}", { most }));
  if (schema.maxLength !== undefined) {
    parts.push(t("{least} to {most} characters", { least: schema.minLength, most: schema.maxLength }));
  }
  if (schema.pattern) parts.push(t("matches {pattern}", { pattern: schema.pattern.replace(/^\^\(\?:(.*)\)\$$/, "$1") }));
  return inRow(parts) + (schema.enum ? ": " + schema.enum.join(", ") : "");
}

// "list of Line, 1 to 10 of them".
function listText(schema) {
  const text = t("list of {type}", { type: typeText(schema.items) || t("anything") });
  if (schema.maxItems === undefined) return text;
  return inRow([text, t("{least} to {most} elements", { least: schema.minItems || 0, most: schema.maxItems })]);
}

// A value of the right shape, to begin with.
function example(schema, depth = 0) {
  schema = resolve(schema);
  if (!schema || depth > 5) return null;
  if (schema.anyOf) return example(schema.anyOf[0], depth);
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case "object": return Object.fromEntries(Object.entries(schema.properties || {})
      .map(([name, each]) => [name, example(each, depth + 1)]));
    case "array": return [example(schema.items, depth + 1)];
    case "integer": case "number": return schema.minimum ?? 0;
    case "boolean": return false;
    case "string": return "";
    default: return null;
  }
}

function table(head, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))))));
}

// The fields of a struct, and of those in it: "lines[].item", as errors call them.
function fieldRows(schema, prefix = "", depth = 0) {
  const resolved = resolve(schema);
  if (!resolved || !resolved.properties || depth > 3) return [];
  const required = resolved.required || [];
  return Object.entries(resolved.properties).flatMap(([name, each]) => {
    const value = each.anyOf ? each.anyOf[0] : each;
    const [inner, mark] = value.type === "array" ? [value.items, "[]"]
      : value.additionalProperties ? [value.additionalProperties, ".*"] : [value, ""];
    return [{ name: prefix + name, type: typeText(each), required: required.includes(name), meaning: value.description || "" },
      ...fieldRows(inner, prefix + name + mark + ".", depth + 1)];
  });
}

function fieldTable(schema) {
  const rows = fieldRows(schema && schema.type === "array" ? schema.items : schema);
  if (rows.length === 0) return null;
  const explained = rows.some((row) => row.meaning);
  return table([t("Field"), t("Type"), ...(explained ? [t("Meaning")] : [])], rows.map((row) => [
    element("span", {}, element("code", {}, row.name), row.required ? element("span", { class: "need", title: t("required") }, " *") : null),
    row.type, ...(explained ? [row.meaning] : [])]));
}

function contentBlock(content) {
  return Object.entries(content).map(([type, media]) => element("div", {},
    element("p", { class: "muted" }, element("code", {}, type), " ", typeText(media.schema)), fieldTable(media.schema)));
}

function tryForm(path, verb, operation) {
  const form = element("form", {});
  const inputs = new Map();
  for (const parameter of operation.parameters || []) {
    if (parameter.in === "cookie") continue;
    const input = element("input", { name: parameter.name });
    if (parameter.required) input.required = true;
    inputs.set(parameter, input);
    form.append(element("label", {}, parameter.name + " (" + parameter.in + ")", input));
  }
  const type = operation.requestBody ? Object.keys(operation.requestBody.content)[0] : null;
  let body = null;
  if (type) {
    const schema = operation.requestBody.content[type].schema;
    const text = type === "application/json" ? JSON.stringify(example(schema), null, 2)
      : new URLSearchParams(example(schema) || {}).toString();
    body = element("textarea", { spellcheck: "false" });
    body.value = text;
    form.append(element("label", {}, t("body ({type})", { type }), body));
  }
  const output = element("pre", { "aria-live": "polite" });
  output.hidden = true;
  form.append(element("button", { type: "submit" }, t("Send")), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = "…";
    let target = path;
    const query = new URLSearchParams();
    const headers = { Accept: "application/json, */*" };
    for (const [parameter, input] of inputs) {
      if (parameter.in === "path") target = target.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
      else if (input.value === "" && !parameter.required) continue;
      else if (parameter.in === "query") query.append(parameter.name, input.value);
      else headers[parameter.name] = input.value;
    }
    if (query.size) target += "?" + query;
    if (type && type !== "multipart/form-data") headers["Content-Type"] = type;
    try {
      const sent = type === "multipart/form-data" ? formData(body.value) : body && body.value;
      const response = await fetch(target, { method: verb.toUpperCase(), headers, body: sent || undefined });
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* it is no JSON: as it is */ }
      output.textContent = response.status + " " + response.statusText + "\n\n" + shown;
    } catch (error) {
      output.textContent = t("The request failed: {reason}", { reason: error.message });
    }
  });
  return form;
}

function formData(text) {
  const data = new FormData();
  for (const [name, value] of new URLSearchParams(text)) data.append(name, value);
  return data;
}

function operationBlock(path, verb, operation) {
  const inside = element("div", { class: "inside" });
  if (operation.description) inside.append(element("p", { class: "lead" }, operation.description));
  if (operation.parameters) {
    inside.append(element("h3", {}, t("Parameters")), table([t("Name"), t("In"), t("Type")], operation.parameters.map((each) => [
      element("span", {}, element("code", {}, each.name), each.required ? element("span", { class: "need", title: t("required") }, " *") : null),
      each.in, typeText(each.schema)])));
  }
  if (operation.requestBody) inside.append(element("h3", {}, t("Body")), ...contentBlock(operation.requestBody.content));
  inside.append(element("h3", {}, t("Answers")));
  for (const [status, response] of Object.entries(operation.responses)) {
    inside.append(element("p", {}, element("code", {}, status), " " + response.description));
    if (response.content && status < 400) inside.append(...contentBlock(response.content));
  }
  inside.append(element("h3", {}, t("Try it")), tryForm(path, verb, operation));
  return element("details", { class: operation.deprecated ? "operation deprecated" : "operation", id: operation.operationId },
    element("summary", {}, element("span", { class: "verb", "data-verb": verb }, verb),
      element("span", { class: "path" }, path), element("span", { class: "muted" }, operation.summary || "")), inside);
}

async function show() {
  const main = document.querySelector("main");
  try {
    const response = await fetch(document.body.dataset.document);
    if (!response.ok) throw new Error(t("the document answered {status}", { status: response.status }));
    const api = await response.json();
    schemas = api.components ? api.components.schemas : {};
    const groups = new Map();
    for (const [path, operations] of Object.entries(api.paths)) {
      for (const verb of verbs) {
        if (!operations[verb]) continue;
        const tag = (operations[verb].tags || [t("Operations")])[0];
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push(operationBlock(path, verb, operations[verb]));
      }
    }
    main.replaceChildren();
    for (const [tag, blocks] of groups) main.append(element("section", {}, element("h2", {}, tag), ...blocks));
    if (groups.size === 0) main.append(element("p", { class: "muted" }, t("There are no operations yet.")));
  } catch (error) {
    main.replaceChildren(element("p", { class: "error", role: "alert" }, t("The document cannot be shown: {reason}", { reason: error.message })));
  }
  const linked = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked) {
    linked.open = true;
    linked.scrollIntoView();
  }
  document.body.dataset.ready = "yes";
}

show();
)js";

/// Braces; without an icon of its own a browser asks for /favicon.ico.
constexpr std::string_view kIcon =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6b67"/>)svg"
    R"svg(<path d="M13 7q-4 0-4 4v2q0 3-3 3q3 0 3 3v2q0 4 4 4M19 7q4 0 4 4v2q0 3 3 3q-3 0-3 3v2q0 4-4 4" fill="none" )svg"
    R"svg(stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>)svg";

/// The texts of the script, `t("...")`, that have a translation.
Json translated_words(const Locale& locale) {
  constexpr std::string_view kCall = "t(\"";
  Json words = Json::object();
  std::size_t at = 0;
  while ((at = kScript.find(kCall, at)) != std::string_view::npos) {
    at += kCall.size();
    const std::string_view text = kScript.substr(at, kScript.find('"', at) - at);
    std::string translation = locale.translate(text);
    if (translation != text) words[text] = std::move(translation);
  }
  return words;
}

/// "zh-CN" for "zh_CN", as HTML writes it.
std::string language_tag(std::string_view code) {
  std::string tag = xhtml_escape(code);
  std::ranges::replace(tag, '_', '-');
  return tag;
}

}  // namespace

std::string openapi_page(const OpenAPIOptions& options, const Locale& locale) {
  const auto text = [&](std::string_view message) {
    return xhtml_escape(locale.translate(message));
  };
  const std::string title = text(options.title);
  const std::string base = xhtml_escape(options.page_path);
  const std::string document = xhtml_escape(options.document_path);
  std::string page = "<!doctype html>\n<html lang=\"" + language_tag(options.language) +
                     "\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>" + title + "</title>\n";
  page += "<link rel=\"icon\" type=\"image/svg+xml\" href=\"" + base + "/docs.svg\">\n";
  page += "<link rel=\"stylesheet\" href=\"" + base + "/docs.css\">\n";
  page += "<script src=\"" + base + "/docs.js\" defer></script>\n</head>\n";
  page += "<body data-document=\"" + document + "\" data-words=\"" +
          xhtml_escape(json_encode(translated_words(locale))) + "\">\n";
  page += "<header>\n<h1>" + title + "</h1>\n<p class=\"version\">" + text("Version") + ' ' +
          xhtml_escape(options.version) + " · <a href=\"" + document + "\">" +
          text("OpenAPI document") + "</a></p>\n";
  if (!options.description.empty()) {
    page += "<p class=\"lead\">" + text(options.description) + "</p>\n";
  }
  page += "</header>\n<main><p class=\"muted\">" + text("Loading…") + "</p></main>\n";
  page += "<noscript><p>" + text("This page needs JavaScript; the document above does not.") +
          "</p></noscript>\n";
  return page + "</body>\n</html>\n";
}

std::string_view openapi_page_style() noexcept { return kStyle; }
std::string_view openapi_page_script() noexcept { return kScript; }
std::string_view openapi_page_icon() noexcept { return kIcon; }

}  // namespace coronado::web
