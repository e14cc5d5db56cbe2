// Demonstration 3: a tree of task groups that folds when its root is cancelled.

import { action, call, format, poll, say, svgElement } from "./api.js";

const kPollMs = 120;
const kGap = 3;

const svg = document.getElementById("tree-svg");
const detail = document.getElementById("tree-detail");
const status = document.getElementById("tree-status");
const text = document.getElementById("tree-text");
const empty = document.getElementById("tree-empty");
const startButton = document.getElementById("tree-start");
const cancelButton = document.getElementById("tree-cancel");

let group = null;        // id of the server's group
let nodes = new Map();   // key -> node; nodes that have ended stay, so that the rest does not jump
let root = null;
let chosen = null;       // the node whose text is shown
let cancelledAt = 0;
let cancelledCount = 0;

export function startTree() {
  action(startButton, status, grow);
  action(cancelButton, status, cancel);
  new ResizeObserver(() => draw()).observe(svg);
  svg.addEventListener("keydown", moveFocus);
  poll(kPollMs, refresh);
}

async function grow() {
  const [width, depth] = document.querySelector("input[name=shape]:checked").value.split(",").map(Number);
  clear();
  group = (await call("POST", "/api/tree/start", { width, depth })).group;
  say(status, "Growing…");
}

async function cancel() {
  cancelledCount = living().length;
  cancelledAt = performance.now();
  cancelButton.setAttribute("aria-disabled", "true");
  say(status, `Cancelling ${cancelledCount} tasks…`);
  await call("DELETE", `/api/tree/${group}`);
}

let failed = false;
async function refresh() {
  if (group === null) return;
  try {
    const tree = await call("GET", "/api/tree");
    if (failed) say(status, "");
    failed = false;
    update(tree);
  } catch (error) {
    failed = true;
    say(status, error.message, true);
  }
}

function clear() {
  nodes = new Map();
  root = chosen = null;
  cancelledAt = 0;
  svg.replaceChildren();
}

/** Take the server's tree: add what is new, mark what has ended. */
function update(tree) {
  const before = nodes.size;
  for (const node of nodes.values()) node.alive = false;
  if (tree) root = merge(tree, null, "");
  if (nodes.size !== before) draw();
  for (const node of nodes.values()) style(node);

  const count = living().length;
  text.textContent = tree ? asText(tree, 0) : "";
  empty.hidden = count > 0 || nodes.size > 0;
  cancelButton.setAttribute("aria-disabled", String(count === 0 || cancelledAt > 0));
  if (chosen) describe(chosen);
  if (count > 0 && cancelledAt === 0) say(status, `${count} tasks are waiting.`);
  if (count === 0 && nodes.size > 0) finish();
}

function finish() {
  const took = format.ms(performance.now() - cancelledAt);
  say(status, cancelledAt > 0 ? `Folded: ${cancelledCount} tasks ended in ${took}, the root last.` : "Every task came to its end.");
  group = null;
  chosen = null;
  svg.replaceChildren();
  nodes = new Map();
  empty.hidden = false;
}

/** Nodes carry no identity of their own: the path of names is the key. */
function merge(tree, parent, prefix) {
  const key = `${prefix}/${tree.id ?? tree.name}`;
  let node = nodes.get(key);
  if (!node) {
    node = { key, parent, depth: parent ? parent.depth + 1 : 0, children: [] };
    nodes.set(key, node);
    parent?.children.push(node);
  }
  Object.assign(node, { alive: true, name: tree.name, state: tree.state, waits: tree.waits_ms });
  for (const child of tree.children ?? []) merge(child, node, key);
  return node;
}

function living() {
  return [...nodes.values()].filter((node) => node.alive);
}

function asText(tree, depth) {
  const line = `${"  ".repeat(depth)}${tree.name}  ${tree.state}\n`;
  return line + (tree.children ?? []).map((child) => asText(child, depth + 1)).join("");
}

/** Place leaves side by side and parents above the middle of their children. */
function place() {
  const leaves = [...nodes.values()].filter((node) => node.children.length === 0);
  const depth = Math.max(...[...nodes.values()].map((node) => node.depth));
  const width = svg.clientWidth;
  const height = svg.clientHeight;
  const step = width / leaves.length;
  const radius = Math.max(2.5, Math.min(9, (step - kGap) / 2));
  let next = 0;
  const visit = (node) => {
    node.children.forEach(visit);
    const { children } = node;
    node.x = children.length ? (children[0].x + children.at(-1).x) / 2 : step * (next++ + 0.5);
    node.y = 26 + (depth === 0 ? 0 : (node.depth * (height - 56)) / depth);
    node.radius = children.length ? Math.max(radius, 7 - node.depth) : radius;
  };
  visit(root);
}

function draw() {
  if (!root || svg.clientWidth === 0) return;
  place();
  const links = svgElement("g", { class: "tree-links" });
  const dots = svgElement("g", { role: "presentation" });
  for (const node of nodes.values()) {
    if (node.parent) links.append((node.link = linkTo(node)));
    dots.append((node.dot = dotOf(node)));
  }
  svg.replaceChildren(links, dots);
  root.dot.setAttribute("tabindex", "0");
  for (const node of nodes.values()) style(node);
}

function linkTo({ x, y, parent }) {
  const middle = (y + parent.y) / 2;
  return svgElement("path", { class: "tree-link", d: `M${parent.x} ${parent.y}C${parent.x} ${middle} ${x} ${middle} ${x} ${y}` });
}

function dotOf(node) {
  const dot = svgElement("g", { class: "tree-node", role: "treeitem", tabindex: "-1", "aria-level": node.depth + 1 });
  dot.setAttribute("transform", `translate(${node.x} ${node.y})`);
  dot.append(
    svgElement("circle", { class: "tree-hit", r: Math.max(node.radius + kGap, 8) }),
    svgElement("circle", { class: "tree-dot", r: node.radius }),
  );
  if (node.depth === 0) dot.append(svgElement("text", { class: "tree-label", y: -15 }, node.name));
  const choose = () => {
    chosen = node;
    describe(node);
  };
  dot.addEventListener("pointerenter", choose);
  dot.addEventListener("focus", choose);
  return dot;
}

function style(node) {
  if (!node.dot) return;
  node.dot.classList.toggle("gone", !node.alive);
  node.dot.classList.toggle("branch", node.children.length > 0);
  node.dot.classList.toggle("stopping", node.alive && (cancelledAt > 0 || /cancel|unwind|stop/.test(node.state)));
  node.dot.setAttribute("aria-label", `${node.name}: ${node.alive ? node.state : "ended"}`);
  node.link?.classList.toggle("gone", !node.alive);
}

function describe(node) {
  const waits = node.waits > 0 ? `, for ${format.ms(node.waits)}` : "";
  const line = node.alive ? `${node.name}: ${node.state}${waits}` : `${node.name}: ended`;
  if (detail.textContent !== line) detail.textContent = line;
}

/** Arrow keys walk the tree: up and down a level, left and right among siblings. */
function moveFocus(event) {
  const from = [...nodes.values()].find((node) => node.dot === document.activeElement);
  if (!from) return;
  const alive = (list) => list.filter((node) => node.alive);
  const siblings = from.parent ? alive(from.parent.children) : [from];
  const at = siblings.indexOf(from);
  const to = {
    ArrowUp: from.parent,
    ArrowDown: alive(from.children)[0],
    ArrowLeft: siblings[at - 1],
    ArrowRight: siblings[at + 1],
  }[event.key];
  if (!to) return;
  event.preventDefault();
  from.dot.setAttribute("tabindex", "-1");
  to.dot.setAttribute("tabindex", "0");
  to.dot.focus();
}
