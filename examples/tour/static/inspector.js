// The inspector: the tree of tasks as dump_tasks_json() tells it, refreshed in place.
//
// An entry keeps its element as long as its task lives, so that what is open, focused or being read
// stays where it is.

import { action, call, poll, say, setText } from "./api.js";
import { stateText } from "./states.js";
import { startTasks } from "./tasks.js";
import { format, t, tn } from "./texts.js";

const kPollMs = 1000;

const list = document.getElementById("tasks");
const status = document.getElementById("status");
const restSection = document.getElementById("at-rest");
const restList = document.getElementById("rest-streams");
const find = document.getElementById("find");
const pauseButton = document.getElementById("pause");
const placesButton = document.getElementById("places");
const exampleButton = document.getElementById("example");

const entries = new Map(); // id of a task -> its entry
let shown = null;          // the snapshot on the page
let paused = false;

pauseButton.addEventListener("click", () => (paused = press(pauseButton)));
placesButton.addEventListener("click", () => list.classList.toggle("hide-places", !press(placesButton)));
find.addEventListener("input", () => shown && show(shown));
action(exampleButton, status, async () => {
  await call(converses() ? "DELETE" : "POST", "/api/conversation");
  await refresh();
});
poll(kPollMs, () => paused || refresh(), (problem) => say(status, problem, problem !== ""));
startTasks();

function press(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(pressed));
  return pressed;
}

async function refresh() {
  show(await call("GET", "/api/inspect"));
}

function show(snapshot) {
  shown = snapshot;
  const counts = { new: 0, ready: 0, running: 0, waiting: 0, cancelled: 0, alike: 0 };
  const seen = new Set();
  const wanted = find.value.trim().toLowerCase();
  const matches = fill(list, snapshot.tasks, counts, seen, wanted);
  for (const id of entries.keys()) if (!seen.has(id)) entries.delete(id);
  const restMatches = showRest(snapshot, wanted);
  document.getElementById("nothing").hidden = matches || restMatches;

  setText("count-total", format.integer(snapshot.total));
  setText("count-waiting", format.integer(counts.waiting));
  setText("count-ready", format.integer(counts.new + counts.ready));
  setText("count-running", format.integer(counts.running));
  setText("count-cancelled", format.integer(counts.cancelled));
  setText("count-hidden", format.integer(counts.alike + snapshot.left_out));
  exampleButton.textContent = converses() ? t("End the conversation") : t("Start a conversation");
}

function converses() {
  return shown !== null && shown.tasks.some((task) => task.name === "conversation");
}

/** The streams that no task uses. True when one of them matches `wanted`. */
function showRest(snapshot, wanted) {
  const streams = snapshot.streams.filter((stream) => has(streamWords(stream), wanted));
  fillStreams(restList, streams);
  restSection.hidden = streams.length === 0;
  const more = document.getElementById("rest-more");
  put(more, snapshot.streams_left_out ? t("and {count} more", { count: format.integer(snapshot.streams_left_out) }) : "");
  more.hidden = snapshot.streams_left_out === 0;
  return streams.length > 0;
}

/** Makes the children of `parent` the entries of `tasks`. True when one of them matches `wanted`. */
function fill(parent, tasks, counts, seen, wanted) {
  let any = false;
  let place = parent.firstElementChild;
  for (const task of tasks) {
    seen.add(task.id);
    let entry = entries.get(task.id);
    if (!entry) entries.set(task.id, (entry = makeEntry(task)));
    update(entry, task);
    ++counts[task.state];
    if (task.cancelled) ++counts.cancelled;
    counts.alike += task.alike;
    const below = fill(entry.children, task.children, counts, seen, wanted);
    const matches = below || matchesText(task, wanted);
    entry.element.hidden = !matches;
    any ||= matches;
    if (entry.element === place) place = place.nextElementSibling;
    else parent.insertBefore(entry.element, place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
  return any;
}

function matchesText(task, wanted) {
  if (wanted === "") return true;
  const places = [task.spawned, ...task.frames].map((frame) => `${frame.file}:${frame.line} ${frame.function}`);
  const streams = task.streams.flatMap(streamWords);
  return has([task.name, task.group, task.state, task.detail, `#${task.id}`, ...places, ...streams], wanted);
}

function streamWords(stream) {
  return [stream.peer, stream.protocol, stream.security];
}

function has(texts, wanted) {
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function makeEntry(task) {
  const name = element("button", "task-name");
  const state = element("span", "task-state");
  const wait = element("span", "task-wait");
  const time = element("span", "task-time");
  const id = element("span", "task-id", `#${task.id}`);
  const streams = element("ul", "streams");
  const places = element("ol", "places");
  const alike = element("p", "alike");
  const children = element("ul", "tasks");
  const row = element("div", "task-row", name, id, state, wait, time);
  const item = element("li", "task", element("div", "task-card", row, streams, places, alike), children);
  name.type = "button";
  streams.setAttribute("aria-label", t("Streams"));
  name.translate = places.translate = false;  // the program's own words
  name.setAttribute("aria-expanded", "true");
  name.addEventListener("click", () => {
    const closed = item.classList.toggle("closed");
    name.setAttribute("aria-expanded", String(!closed));
  });
  return { element: item, name, state, wait, time, streams, places, alike, children };
}

function update(entry, task) {
  entry.element.dataset.state = task.cancelled ? "cancelled" : task.state;
  put(entry.name, task.name || task.group || shortName(task.spawned.function));
  put(entry.state, stateText(task.cancelled ? `cancelled, ${task.state}` : task.state));
  const wait = stateText(task.detail);
  put(entry.wait, wait);
  entry.wait.translate = wait !== task.detail;  // what has no translation is a diagnosis of the library

  put(entry.time, times(task).join(", "));
  put(entry.alike, task.alike ? t("and {count} more like it", { count: format.integer(task.alike) }) : "");
  entry.alike.hidden = task.alike === 0;
  fillStreams(entry.streams, task.streams);
  entry.streams.hidden = task.streams.length === 0;
  entry.children.hidden = task.children.length === 0;
  const lines = task.frames.map((frame) => [t("at"), frame]);
  lines.push([t("from"), task.spawned]);
  const key = JSON.stringify(lines);
  if (entry.key === key) return;
  entry.key = key;
  entry.places.replaceChildren(...lines.map(([word, frame]) =>
    element("li", "", element("span", "", `${word} `), element("b", "", `${frame.file}:${frame.line}`),
            element("span", "", ` ${frame.function}`))));
}

/** Makes the items of `list` those of `streams`; an item that has not changed is not touched. */
function fillStreams(list, streams) {
  while (list.children.length > streams.length) list.lastElementChild.remove();
  streams.forEach((stream, index) => {
    const item = list.children[index] ?? list.appendChild(element("li"));
    const key = JSON.stringify(stream);
    if (item.dataset.key === key) return;
    item.dataset.key = key;
    item.replaceChildren(...streamParts(stream));
  });
}

/** Who is there, what is spoken, and what is on its way. */
function streamParts(stream) {
  const part = (className, text, plain) => {
    const made = element("span", className, text);
    if (!plain) made.translate = false;
    return made;
  };
  const [version, cipher] = stream.security.split(", ");
  const parts = [stream.peer === "a stream" ? part("stream-note", t("no address"), true) : part("stream-peer", stream.peer)];
  if (stream.protocol) parts.push(part("tag", stream.protocol));
  if (version) parts.push(part("tag", version), part("stream-cipher", cipher));
  if (stream.kernel_tls) parts.push(part("tag", t("encrypted by the kernel"), true));
  if (stream.buffered) parts.push(part("stream-bytes", t("{bytes} buffered", { bytes: bytes(stream.buffered) }), true));
  if (stream.unsent) parts.push(part("stream-bytes", t("{bytes} unsent", { bytes: bytes(stream.unsent) }), true));
  if (stream.alike) parts.push(part("stream-note", t("and {count} more streams like it", { count: format.integer(stream.alike) }), true));
  return parts;
}

function bytes(n) {
  return n < 1000 ? tn("{count} byte", "{count} bytes", n) : format.bytes(n);
}

function put(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function times(task) {
  const texts = [];
  if (task.due_in !== null) texts.push(t("ends in {time}", { time: span(task.due_in) }));
  if (task.deadline_in !== null) texts.push(t("limit in {time}", { time: span(task.deadline_in) }));
  return texts;
}

function span(seconds) {
  return seconds < 100 ? format.seconds(seconds) : format.uptime(seconds);
}

/** "tour::Conversation::listen" of "coronado::Task<> tour::Conversation::listen(TCPStream &)". */
function shortName(text) {
  return text.replace(/\(.*$/, "").split(" ").at(-1) || text;
}
