// A tree of task groups that folds when its root is cancelled.
//
// A node that has ended stays as a small ghost in its place, so that the rest does not jump and
// the shape of what was there can still be seen.

import { action, call, poll, say, svgElement } from "./api.js";
import { stateText } from "./states.js";
import { format, t, tn } from "./texts.js";

const kPollMs = 120;
const hint = t("Point at a node, or focus one and use the arrow keys, to read what it waits for.");

const svg = document.getElementById("tree-svg");
const detail = document.getElementById("tree-detail");
const status = document.getElementById("tree-status");
const text = document.getElementById("tree-text");
const startButton = document.getElementById("tree-start");
const cancelButton = document.getElementById("tree-cancel");

let group = null;       // id of the server's group while it lives
let nodes = new Map();  // key -> node, parents before children
let chosen = null;      // the node whose text is shown
let cancelled = null;   // {tasks, at}: how many there were, and when

export function startTree() {
  action(startButton, status, grow);
  action(cancelButton, status, cancel);
  for (const input of document.querySelectorAll("input[name=shape]")) {
    input.addEventListener("change", () => group === null && sketch());
  }
  new ResizeObserver(draw).observe(svg);
  svg.addEventListener("keydown", moveFocus);
  sketch();
  poll(kPollMs, refresh, (problem) => say(status, problem, problem !== ""));
}

function shape() {
  const [width, depth] = document.querySelector("input[name=shape]:checked").value.split(",").map(Number);
  return { width, depth };
}

async function grow() {
  group = (await call("POST", "/api/tree/start", shape())).group;
  reset();
}

async function cancel() {
  cancelled = { tasks: living().length, at: performance.now() };
  cancelButton.setAttribute("aria-disabled", "true");
  say(status, tn("Cancelling one task…", "Cancelling {count} tasks…", cancelled.tasks));
  await call("DELETE", `/api/tree/${group}`);
}

async function refresh() {
  if (group === null) return;
  const asked = group;
  const tree = await call("GET", "/api/tree");
  if (group === asked) update(tree);
}

function reset() {
  nodes = new Map();
  chosen = cancelled = null;
  describe();
}

/** Ghosts of the chosen shape, as long as there is no tree. */
function sketch() {
  reset();
  const { width, depth } = shape();
  const branch = (level, id) => ({
    id,
    name: "",
    state: "",
    children: Array.from({ length: level === depth ? 0 : width }, (_, i) => branch(level + 1, i)),
  });
  merge(branch(0, 0), null);
  for (const node of nodes.values()) node.alive = false;
  draw();
}

/** Take the server's tree: add what is new, mark what has ended. */
function update(tree) {
  const before = nodes.size;
  for (const node of nodes.values()) node.alive = false;
  if (tree) merge(tree, null);
  if (nodes.size !== before) draw();
  nodes.forEach(style);
  describe();

  const count = living().length;
  text.textContent = tree ? asText(tree, 0) : "";
  cancelButton.setAttribute("aria-disabled", String(count === 0 || cancelled !== null));
  svg.setAttribute("role", count ? "tree" : "img");
  svg.setAttribute("aria-label", count ? t("The tree of tasks") : t("No tree is growing"));
  if (count === 0) finish();
  else if (!cancelled) say(status, tn("One task is waiting.", "{count} tasks are waiting.", count));
}

function finish() {
  group = chosen = null;
  describe();
  if (!cancelled) return say(status, t("Every task came to its end."));
  const took = format.ms(performance.now() - cancelled.at);
  say(status, t("Folded: {count} tasks ended in {time}, the root last.", { count: cancelled.tasks, time: took }));
}

/** The path of names is a node's key, unless the server gives it an id. */
function merge(tree, parent) {
  const key = `${parent?.key ?? ""}/${tree.id ?? tree.name}`;
  let node = nodes.get(key);
  if (!node) {
    node = { key, parent, depth: parent ? parent.depth + 1 : 0, children: [] };
    nodes.set(key, node);
    parent?.children.push(node);
  }
  Object.assign(node, { alive: true, name: tree.name, state: tree.state, waits: tree.waits_ms });
  for (const child of tree.children ?? []) merge(child, node);
}

/** "branch 3" in the language of the page. */
function nameText(name) {
  if (name === "root") return t("root");
  return name.replace(/^branch (\d+)$/, (_, number) => t("branch {number}", { number }));
}

function living() {
  return [...nodes.values()].filter((node) => node.alive);
}

function asText(tree, depth) {
  const line = `${"  ".repeat(depth)}${nameText(tree.name)}  ${stateText(tree.state)}\n`;
  return line + (tree.children ?? []).map((child) => asText(child, depth + 1)).join("");
}

/** Leaves side by side, parents above the middle of their children. */
function place(width, height) {
  const all = [...nodes.values()];
  const deepest = Math.max(...all.map((node) => node.depth), 1);
  const step = width / all.filter((node) => node.children.length === 0).length;
  const radius = Math.max(2.5, Math.min(9, step / 2 - 1.5));
  let leaf = 0;
  const visit = (node) => {
    const { children } = node;
    children.forEach(visit);
    node.x = children.length ? (children[0].x + children.at(-1).x) / 2 : step * (leaf++ + 0.5);
    node.y = 28 + (node.depth * (height - 50)) / deepest;
    node.radius = children.length ? Math.max(radius, 8 - node.depth) : radius;
  };
  visit(all[0]);
}

function draw() {
  if (nodes.size === 0 || svg.clientWidth === 0) return;
  place(svg.clientWidth, svg.clientHeight);
  const links = svgElement("g", { "aria-hidden": "true" });
  const dots = svgElement("g", { role: "presentation" });
  for (const node of nodes.values()) {
    node.link = node.parent ? linkTo(node) : null;
    node.dot = dotOf(node);
    if (node.link) links.append(node.link);
    dots.append(node.dot);
  }
  svg.replaceChildren(links, dots);
  dots.firstChild.setAttribute("tabindex", "0");
  nodes.forEach(style);
}

function linkTo({ x, y, parent }) {
  const middle = (y + parent.y) / 2;
  return svgElement("path", {
    class: "tree-link",
    d: `M${parent.x} ${parent.y}C${parent.x} ${middle} ${x} ${middle} ${x} ${y}`,
  });
}

function dotOf(node) {
  const dot = svgElement("g", {
    class: "tree-node",
    role: "treeitem",
    tabindex: "-1",
    "aria-level": node.depth + 1,
    transform: `translate(${node.x} ${node.y})`,
  });
  dot.classList.toggle("branch", node.children.length > 0);
  dot.append(
    svgElement("circle", { class: "tree-hit", r: Math.max(node.radius + 3, 8) }),
    svgElement("circle", { class: "tree-dot", r: node.radius }),
  );
  if (node.depth === 0) dot.append(svgElement("text", { class: "tree-label", y: -15 }, nameText(node.name)));
  const choose = () => {
    chosen = node;
    describe();
  };
  dot.addEventListener("pointerenter", choose);
  dot.addEventListener("focus", choose);
  return dot;
}

function style(node) {
  if (!node.dot) return;
  const stopping = node.alive && (cancelled !== null || /cancel|unwind/.test(node.state));
  node.dot.classList.toggle("gone", !node.alive);
  node.dot.classList.toggle("stopping", stopping);
  node.link?.classList.toggle("gone", !node.alive);
  node.dot.setAttribute("aria-label", `${nameText(node.name)}: ${node.alive ? stateText(node.state) : t("ended")}`);
  if (node.alive) node.dot.removeAttribute("aria-hidden");
  else node.dot.setAttribute("aria-hidden", "true");
}

function describe() {
  let line = hint;
  if (chosen && chosen.alive) {
    line = t("{name}: {state}, for {time}",
      { name: nameText(chosen.name), state: stateText(chosen.state), time: format.ms(chosen.waits) });
  } else if (chosen) {
    line = t("{name}: ended", { name: nameText(chosen.name) });
  }
  if (detail.textContent !== line) detail.textContent = line;
}

/** Arrow keys walk the tree: up and down a level, left and right among siblings. */
function moveFocus(event) {
  const from = living().find((node) => node.dot === document.activeElement);
  if (!from) return;
  const children = from.children.filter((node) => node.alive);
  const siblings = from.parent ? from.parent.children.filter((node) => node.alive) : [from];
  const at = siblings.indexOf(from);
  const to = {
    ArrowUp: from.parent,
    ArrowDown: children[0],
    ArrowLeft: siblings[at - 1],
    ArrowRight: siblings[at + 1],
  }[event.key];
  if (!to) return;
  event.preventDefault();
  from.dot.setAttribute("tabindex", "-1");
  to.dot.setAttribute("tabindex", "0");
  to.dot.focus();
}
