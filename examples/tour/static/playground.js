// The playground: what is typed is rendered, the last request at a time.
import { call } from "./api.js";
import { format, t } from "./texts.js";

const kExamples = {
  list: {
    template: `<ul>
{% for user in users %}
  <li>{{ user.name }}{% if user.admin %} (admin){% end %}: {{ ", ".join(user.tags) }}</li>
{% end %}
{% if not users %}
  <li>nobody</li>
{% end %}
</ul>
<p>{{ len(users) }} users, {{ sum([u.age for u in users]) }} years</p>
`,
    context: { users: [
      { name: "Ada <ada@example.com>", age: 36, admin: true, tags: ["math", "engines"] },
      { name: "Grace", age: 85, admin: false, tags: ["compilers"] },
    ] },
  },
  layout: {
    template: `{% extends "layout.html" %}
{% block title %}{{ title }}{% end %}
{% block body %}
  {% for number in numbers %}{{ number }} {% end %}
{% end %}
`,
    context: { title: "Extended", numbers: [1, 2, 3] },
  },
  format: {
    template: `{% for item in sorted(items, key=lambda i: -i.price) %}
{{ item.name.ljust(10) }}{{ "%8.2f" % item.price }} {{ f"{item.count:>4} pieces" }}
{% end %}
{% set total = sum([i.price * i.count for i in items]) %}
Total: {{ "{:,.2f}".format(total) }}
`,
    context: { items: [
      { name: "Tea", price: 4.5, count: 12 },
      { name: "Teapot", price: 1249.9, count: 1 },
    ] },
  },
  danger: {
    template: `<p title="{{ text }}">{{ text }}</p>
<p title={{ text }}>an attribute without quotes</p>
<a href="{{ text }}">a URL that begins with a value</a>
<script>var text = '{{ text }}';</script>
<script>var text = {% raw json_encode(text) %};</script>
`,
    context: { text: "javascript:alert('\"<b>&')" },
  },
  error: {
    template: `<h1>{{ title }}</h1>
{% for entry in entries %}
  <p>{{ entry.text }}, {{ entry.author.name }}</p>
{% end %}
`,
    context: { title: "Blog", entries: [{ text: "The first", author: null }] },
  },
};

const kPauseMs = 150;
const kMostLines = 2000;
const get = (id) => document.getElementById(id);
const [template, context, status, output, warnings, go] =
  ["template", "context", "status", "output", "warnings", "go"].map(get);

let wrong = null; // the error that is shown
let asked = 0; // requests so far
let timer = 0;

/** Line numbers beside an editor; the wrong one is marked. */
function number(editor, line) {
  const list = get(`${editor.id}-lines`);
  const count = Math.min(editor.value.split("\n").length, kMostLines);
  list.replaceChildren(...Array.from({ length: count }, (_, i) => {
    const item = document.createElement("li");
    item.textContent = i + 1;
    if (i + 1 === line) item.className = "wrong";
    return item;
  }));
  list.scrollTop = editor.scrollTop;
}

const utf8 = new TextEncoder();

/** The place of a line and a column, which counts bytes, in an editor's text. */
function offsetOf(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  let bytes = 0;
  let at = 0;
  for (const character of lines[line - 1] ?? "") {
    if (bytes >= column - 1) break;
    bytes += utf8.encode(character).length;
    at += character.length;
  }
  return before + at;
}

function describe(problem) {
  const { line, column } = problem;
  const message = problem.message.replace(/^line \d+, column \d+: /, "");
  if (!line) return message;
  if (problem.where === "context") return t("Context, line {line}, column {column}: {message}", { line, column, message });
  return t("Template, line {line}, column {column}: {message}", { line, column, message });
}

function show(result) {
  wrong = result.error ?? null;
  status.classList.toggle("error", wrong !== null);
  status.textContent = wrong ? describe(wrong)
    : t("Compiled and rendered in {time} µs.", { time: format.integer(result.microseconds) });
  go.hidden = !wrong?.line;
  output.classList.toggle("stale", wrong !== null);
  if (!wrong) output.textContent = result.output;
  warnings.hidden = result.warnings.length === 0;
  warnings.replaceChildren(...result.warnings.map((warning) => {
    const item = document.createElement("li");
    item.textContent = t("Warning, line {line}, column {column}: {message}", warning);
    return item;
  }));
  number(template, wrong?.where === "template" ? wrong.line : 0);
  number(context, wrong?.where === "context" ? wrong.line : 0);
}

async function render() {
  const turn = ++asked;
  try {
    const result = await call("POST", "/api/template", { text: template.value, context: context.value });
    if (turn === asked) show(result);
  } catch (error) {
    if (turn !== asked) return;
    status.classList.add("error");
    status.textContent = error.message;
  }
}

function changed() {
  number(template, 0);
  number(context, 0);
  clearTimeout(timer);
  timer = setTimeout(render, kPauseMs);
}

function load(name) {
  const example = kExamples[name];
  template.value = example.template;
  context.value = JSON.stringify(example.context, null, 2) + "\n";
  for (const button of document.querySelectorAll("[data-example]")) {
    button.setAttribute("aria-pressed", String(button.dataset.example === name));
  }
  changed();
}

for (const editor of [template, context]) {
  editor.addEventListener("input", changed);
  editor.addEventListener("scroll", () => { get(`${editor.id}-lines`).scrollTop = editor.scrollTop; });
}
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => load(button.dataset.example));
}
go.addEventListener("click", () => {
  const editor = wrong.where === "context" ? context : template;
  const at = offsetOf(editor.value, wrong.line, wrong.column);
  editor.focus();
  editor.setSelectionRange(at, at + 1);
});

load("list");
