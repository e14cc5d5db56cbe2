// dump_tasks() of this process, refreshed while it is on screen.

import { action, call, poll, say, setText } from "./api.js";
import { t, tn } from "./texts.js";

const kPollMs = 1000;
const kMaxCharacters = 60000;

const view = document.getElementById("tasks-text");
const status = document.getElementById("tasks-status");
const pauseButton = document.getElementById("tasks-pause");
let paused = false;
let visible = false;

export function startTasks() {
  pauseButton.addEventListener("click", () => {
    paused = !paused;
    pauseButton.setAttribute("aria-pressed", String(paused));
    pauseButton.textContent = paused ? t("Resume") : t("Pause");
  });
  action(document.getElementById("tasks-copy"), status, copy);
  new IntersectionObserver(([entry]) => (visible = entry.isIntersecting)).observe(view);
  const refresh = async () => {
    if (visible && !paused) show(await call("GET", "/api/tasks"));
  };
  poll(kPollMs, refresh, (problem) => say(status, problem, problem !== ""));
}

function show({ text, tasks }) {
  if (paused) return;
  setText("tasks-count", `dump_tasks(): ${tn("one task", "{count} tasks", tasks)}`);
  const cut = text.length > kMaxCharacters;
  const shown = cut ? `${text.slice(0, text.lastIndexOf("\n", kMaxCharacters))}\n…` : text;
  if (view.textContent !== shown) view.textContent = shown;
}

async function copy() {
  try {
    await navigator.clipboard.writeText(view.textContent);
    say(status, t("Copied."));
  } catch {
    getSelection().selectAllChildren(view);
    say(status, t("The browser refuses the clipboard: the text is selected, copy it from there."));
  }
}
