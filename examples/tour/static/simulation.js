// Runs of a test on the simulated network, one seed after the other.

import { action, call, say, setText } from "./api.js";
import { format, t, tn } from "./texts.js";

const kSeeds = 1000;

const status = document.getElementById("search-status");
const replay = document.getElementById("replay");
let failing = 0;  // the seed that failed last

function careful() {
  return document.querySelector("input[name=registry]:checked").value === "careful";
}

function setFailing(seed) {
  failing = seed;
  replay.setAttribute("aria-disabled", String(seed === 0));
}

async function run(first, count) {
  const result = await call("POST", "/api/search", { careful: careful(), first, count });
  setText("search-simulated", format.uptime(result.simulated_s));
  setText("search-took", format.ms(result.took_ms));
  setText("search-fingerprint", result.fingerprint);
  setText("search-events", result.events);
  return result;
}

async function search() {
  say(status, t("Running…"));
  setFailing(0);
  const result = await run(1, kSeeds);
  setFailing(result.failing_seed);
  if (failing) {
    say(status, t("Seed {seed} fails after {passed} that passed: {owners} clients were told that the name is theirs.",
      { seed: failing, passed: format.integer(result.runs - 1), owners: result.owners }), true);
  } else {
    say(status, tn("One seed passes.", "All {count} seeds pass.", result.runs));
  }
}

async function again() {
  const before = document.getElementById("search-fingerprint").textContent;
  const result = await run(failing, 1);
  if (result.failing_seed === 0) say(status, t("Seed {seed} passes.", { seed: failing }));
  else if (result.fingerprint === before) say(status, t("The same again: every event at the same time."), true);
  else say(status, t("It fails again, but in another way."), true);
}

action(document.getElementById("search"), status, search);
action(replay, status, again);
for (const input of document.querySelectorAll("input[name=registry]")) {
  input.addEventListener("change", () => say(status, ""));
}
