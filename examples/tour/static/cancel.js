// The tree, and a request that is given up.

import { action, poll, call, say, send } from "./api.js";
import { format, t } from "./texts.js";
import { startTree } from "./tree.js";

const kPollMs = 500;
const kShown = 6;

const ask = document.getElementById("patient-ask");
const leave = document.getElementById("patient-leave");
const status = document.getElementById("patient-status");
const log = document.getElementById("patient-log");
let hangUp = null;  // ends the request in progress

function setWaiting(waiting) {
  leave.setAttribute("aria-disabled", String(!waiting));
}

async function wait() {
  const controller = new AbortController();
  hangUp = controller;
  setWaiting(true);
  say(status, t("Waiting for the answer…"));
  try {
    const response = await send("GET", "/api/patient", { signal: controller.signal });
    if (response.ok) say(status, t("The answer has come."));
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    say(status, t("You have hung up."));
  } finally {
    hangUp = null;
    setWaiting(false);
  }
}

function show(ended) {
  const lines = ended.slice(-kShown).reverse().map(({ number, cancelled, ms }) => {
    const values = { number, time: format.seconds(ms / 1000) };
    return cancelled ? t("Request {number}: cancelled after {time}, destructors have run", values)
      : t("Request {number}: answered after {time}", values);
  });
  if (log.dataset.shown === lines.join("|")) return;
  log.dataset.shown = lines.join("|");
  log.replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
}

startTree();
action(ask, status, wait);
leave.addEventListener("click", () => hangUp?.abort());
poll(kPollMs, async () => show(await call("GET", "/api/patient/ended")), () => {});
