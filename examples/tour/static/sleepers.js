// Start many sleeping coroutines, watch them wake, cancel them all.

import { action, call, calm, poll, say, setText } from "./api.js";
import { Disc } from "./disc.js";
import { format, t, tn } from "./texts.js";

const kSeconds = 20;
const kMaxDots = 2000;
const kPollMs = 200;
const kSweepMs = 700;

const section = document.getElementById("sleepers");
const status = document.getElementById("sleepers-status");
const cancelButton = document.getElementById("sleepers-cancel");

let disc;
let wakeRank = [];  // wakeRank[dot]: how many dots go dark before this one
let batch = 0;      // most sleepers seen since there were none
let shown = 0;      // the number on the counter
let wanted = 0;     // the number it runs to
let stopPolling = null;

export function startSleepers() {
  disc = new Disc(document.getElementById("sleepers-disc"), {
    count: 1000,
    dark: [24, 50, 70],
    bright: [242, 184, 75],
  });
  for (const button of section.querySelectorAll("[data-count]")) {
    action(button, status, () => spawn(Number(button.dataset.count)));
  }
  action(cancelButton, status, cancelAll);
  watch();
}

async function spawn(count) {
  say(status, t("Starting {count} coroutines…", { count: format.integer(count) }));
  const result = await call("POST", "/api/sleepers", { count, seconds: kSeconds });
  cancelButton.setAttribute("aria-disabled", "false");
  setText("sleepers-spawn", format.ms(result.spawn_ms));
  setText("sleepers-bytes", format.integer(result.bytes_per_task));
  setText("sleepers-memory", `${format.bytes(result.rss_before)} → ${format.bytes(result.rss_after)}`);
  const each = (result.spawn_ms * 1e6) / result.count;
  say(status, t("{count} started in {time}: {each} ns each.",
    { count: format.integer(result.count), time: format.ms(result.spawn_ms), each: format.integer(each) }));
  watch();
}

async function cancelAll() {
  const result = await call("DELETE", "/api/sleepers");
  say(status, t("{count} cancelled and unwound in {time}.",
    { count: format.integer(result.cancelled), time: format.ms(result.cancel_ms) }));
  watch("inwards");
}

/** Poll while somebody sleeps. */
function watch(order) {
  stopPolling?.();
  const refresh = async () => {
    const now = await call("GET", "/api/sleepers");
    update(now, order);
    return now.sleeping > 0;
  };
  stopPolling = poll(kPollMs, refresh, (problem) => say(status, problem, problem !== ""));
}

function update({ sleeping, finished, cancelled }, order) {
  setText("sleepers-finished", format.integer(finished));
  setText("sleepers-cancelled", format.integer(cancelled));
  if (sleeping > batch) setBatch(sleeping);
  cancelButton.setAttribute("aria-disabled", String(sleeping === 0));
  const lit = batch === 0 ? 0 : Math.ceil((sleeping / batch) * disc.count);
  for (let i = 0; i < disc.count; ++i) {
    const on = disc.count - wakeRank[i] <= lit;
    const place = i / disc.count;
    disc.fade(i, on ? 1 : 0, on ? place * kSweepMs : order === "inwards" ? (1 - place) * kSweepMs : 0);
  }
  if (sleeping === 0) batch = 0;
  runCounter(sleeping);
}

function setBatch(count) {
  const fresh = batch === 0;
  batch = count;
  const dots = Math.min(count, kMaxDots);
  if (fresh || dots !== disc.count) {
    disc.setCount(dots);
    wakeRank = shuffled(dots);
  }
  const scale = Math.round(count / dots);
  setText("sleepers-scale", tn("one dot each", "one dot for {count}", Math.max(scale, 1)));
}

function shuffled(count) {
  const ranks = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; --i) {
    const j = Math.floor(Math.random() * (i + 1));
    [ranks[i], ranks[j]] = [ranks[j], ranks[i]];
  }
  return ranks;
}

function runCounter(to) {
  const idle = shown === wanted;
  wanted = to;
  if (calm.matches) shown = wanted;
  if (idle && shown !== wanted) requestAnimationFrame(stepCounter);
  setText("sleepers-count", format.integer(shown));
}

function stepCounter() {
  const distance = wanted - shown;
  shown = Math.abs(distance) < 1 ? wanted : shown + distance * 0.2;
  setText("sleepers-count", format.integer(shown));
  if (shown !== wanted) requestAnimationFrame(stepCounter);
}
