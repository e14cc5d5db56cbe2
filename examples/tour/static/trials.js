// Links that are requests: the answer is shown beside them instead of a new page.

import { say, send } from "./api.js";
import { format, t } from "./texts.js";

const kMostText = 600;
const kFields = ["content-type", "content-length", "content-range", "content-encoding", "etag", "last-modified",
                 "cache-control", "allow", "accept-ranges"];

const answer = document.getElementById("answer");
const status = document.getElementById("answer-status");
const text = document.getElementById("answer-text");

/** The header fields that a trial sends: its own, or the entity tag of what was there before. */
async function fieldsOf(trial) {
  if (trial.dataset.again) {
    const before = await send("GET", trial.getAttribute("href"));
    return { "If-None-Match": before.headers.get("ETag") };
  }
  if (!trial.dataset.field) return {};
  const [name, value] = trial.dataset.field.split(": ");
  return { [name]: value };
}

async function run(trial) {
  for (const other of document.querySelectorAll(".trial[aria-current]")) other.removeAttribute("aria-current");
  trial.setAttribute("aria-current", "true");
  const headers = await fieldsOf(trial);
  const begin = performance.now();
  say(status, t("Asking…"));
  answer.hidden = false;
  const response = await send(trial.dataset.trial, trial.getAttribute("href"),
    { headers: { Accept: "application/json, text/plain, text/css", ...headers } });
  const body = await response.text();
  const asked = Object.entries(headers).map(([name, value]) => `> ${name}: ${value}\n`).join("");
  const fields = kFields.filter((name) => response.headers.has(name))
    .map((name) => `${name}: ${response.headers.get(name)}\n`).join("");
  const shown = body.length > kMostText ? `${body.slice(0, kMostText)}\n…` : body;
  text.textContent = `${asked}HTTP/1.1 ${response.status} ${response.statusText}\n${fields}\n${shown}`;
  say(status, t("Answered with {status} after {time}.",
    { status: response.status, time: format.ms(performance.now() - begin) }));
}

for (const trial of document.querySelectorAll(".trial")) {
  trial.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    run(trial).catch((error) => say(status, error.message, true));
  });
}
