// Server-sent events as they come, and a download that is read at the pace of a slider.

import { call, poll, say } from "./api.js";
import { format, t } from "./texts.js";

const kShown = 8;
const kMebibyte = 1 << 20;
const kPollMs = 250;
// How long the page rests after each piece, in milliseconds; null: it reads nothing.
const kPaces = [null, 200, 50, 10, 0];

const eventsButton = document.getElementById("events-toggle");
const eventsStatus = document.getElementById("events-status");
const eventsLog = document.getElementById("events-log");
let source = null;

function setPressed(button, pressed, text) {
  button.setAttribute("aria-pressed", String(pressed));
  button.textContent = text;
}

function listen() {
  source = new EventSource("/api/ticks");
  setPressed(eventsButton, true, t("Stop listening"));
  say(eventsStatus, t("Connecting…"));
  source.onopen = () => say(eventsStatus, t("Connected."));
  source.onerror = () => say(eventsStatus, t("The connection is gone; the browser tries again."), true);
  source.onmessage = (event) => {
    const item = document.createElement("li");
    item.textContent = t("Event {id} at {time}", { id: event.lastEventId, time: new Date().toLocaleTimeString(document.documentElement.lang) });
    eventsLog.prepend(item);
    while (eventsLog.children.length > kShown) eventsLog.lastChild.remove();
  };
}

function stopListening() {
  source.close();
  source = null;
  setPressed(eventsButton, false, t("Listen"));
  say(eventsStatus, t("Closed. The coroutine on the server has been cancelled."));
}

eventsButton.addEventListener("click", () => (source ? stopListening() : listen()));

const floodButton = document.getElementById("flood-toggle");
const floodStatus = document.getElementById("flood-status");
const pace = document.getElementById("flood-pace");
const paceText = document.getElementById("flood-pace-text");
let download = null;  // its AbortController
let read = 0;

function showPace() {
  paceText.textContent = [t("stopped"), t("very slow"), t("slow"), t("fast"), t("as fast as it can")][pace.value];
}

function showBytes(name, bytes) {
  document.getElementById(`flood-${name}`).value = bytes / kMebibyte;
  document.getElementById(`flood-${name}-text`).textContent = format.bytes(bytes);
}

/** Resolves after the pause that the slider asks for now. */
async function rest(signal) {
  for (;;) {
    signal.throwIfAborted();
    const ms = kPaces[pace.value];
    if (ms !== null) return ms && new Promise((done) => setTimeout(done, ms));
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function readSlowly(name, signal) {
  const response = await fetch(`/api/flood/${name}`, { signal, cache: "no-store" });
  const reader = response.body.getReader();
  for (;;) {
    await rest(signal);
    const { done, value } = await reader.read();
    if (done) return;
    read += value.length;
    showBytes("read", read);
  }
}

async function startDownload() {
  const controller = new AbortController();
  const name = `page-${Math.random().toString(36).slice(2)}`;
  download = controller;
  read = 0;
  setPressed(floodButton, true, t("Stop the download"));
  say(floodStatus, t("Under way."));
  const refresh = async () => {
    const { sent } = await call("GET", `/api/flood/${name}/sent`);
    showBytes("sent", sent);
    document.getElementById("flood-gap").textContent = format.bytes(Math.max(sent - read, 0));
    return download === controller;
  };
  poll(kPollMs, refresh, () => {});
  try {
    await readSlowly(name, controller.signal);
    say(floodStatus, t("All of it has arrived."));
  } catch (error) {
    if (controller.signal.aborted) say(floodStatus, t("Stopped. The handler on the server has been cancelled."));
    else say(floodStatus, t("The connection is gone."), true);
  } finally {
    download = null;
    setPressed(floodButton, false, t("Start the download"));
  }
}

floodButton.addEventListener("click", () => (download ? download.abort() : startDownload()));
pace.addEventListener("input", showPace);
showPace();
