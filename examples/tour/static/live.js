// The strip under the title: figures of the live process, polled each second, and the load button.

import { call, calm, poll, say, setText, svgElement } from "./api.js";
import { Disc } from "./disc.js";
import { format, t } from "./texts.js";

const kHistory = 60;
const kInFlight = 5;  // browsers open six connections to one server: one is left for the figures
const kSparksPerSecond = 120;

const spark = document.getElementById("live-spark");
const button = document.getElementById("load-button");
const status = document.getElementById("load-status");
const rates = [];
let loading = false;

export function startLive() {
  const canvas = document.getElementById("hero-disc");  // on the first page
  const disc = canvas && new Disc(canvas, { count: 700, dark: [20, 44, 62], bright: [242, 184, 75] });
  let served = null;
  const refresh = async () => {
    const stats = await call("GET", "/api/stats");
    show(stats);
    if (disc && served !== null) glow(disc, stats.requests - served);
    served = stats.requests;
  };
  poll(1000, refresh, () => setText("live-rps", "–"));  // the banner says why
  new ResizeObserver(drawSpark).observe(spark);
  button.addEventListener("click", () => (loading ? stopLoad() : startLoad()));
}

function show(stats) {
  setText("live-rps", format.integer(stats.requests_per_second));
  setText("live-tasks", format.short(stats.tasks));
  setText("live-rss", format.bytes(stats.rss_bytes));
  setText("live-requests", format.short(stats.requests));
  setText("live-uptime", format.uptime(stats.uptime_s));
  setText("live-reactor", stats.workers === 1 ? stats.reactor : `${stats.reactor} × ${stats.workers}`);
  rates.push(stats.requests_per_second);
  if (rates.length > kHistory) rates.shift();
  drawSpark();
}

/** One spark in the title's disc for each request, as far as the eye can count. */
function glow(disc, requests) {
  if (calm.matches) return;
  const sparks = Math.min(Math.max(requests, 0), kSparksPerSecond);
  for (let i = 0; i < sparks; ++i) {
    setTimeout(() => disc.spark(Math.floor(Math.random() * disc.count)), (1000 * i) / sparks);
  }
}

function drawSpark() {
  const width = spark.clientWidth;
  const height = spark.clientHeight;
  const top = Math.max(...rates, 10);
  const x = (i) => width - 4 - ((rates.length - 1 - i) * (width - 4)) / (kHistory - 1);
  const y = (rate) => height - 4 - (rate / top) * (height - 8);
  spark.replaceChildren();
  if (rates.length === 0) return;
  const line = rates.map((rate, i) => `${x(i).toFixed(1)},${y(rate).toFixed(1)}`).join(" L");
  const end = rates.length - 1;
  spark.append(
    svgElement("path", { class: "spark-base", d: `M0,${height - 0.5}H${width}` }),
    svgElement("path", { class: "spark-fill", d: `M${x(0)},${height} L${line} L${x(end)},${height} Z` }),
    svgElement("path", { class: "spark-line", d: `M${line}` }),
    svgElement("circle", { class: "spark-dot", cx: x(end), cy: y(rates[end]), r: 3 }),
  );
}

function startLoad() {
  loading = true;
  button.setAttribute("aria-pressed", "true");
  button.textContent = t("Stop the load");
  const begin = performance.now();
  let done = 0;
  const worker = async () => {
    while (loading) {
      await call("GET", "/api/ping");
      ++done;
    }
  };
  const report = () => {
    const rate = done / ((performance.now() - begin) / 1000);
    say(status, t("{done} requests from this page, {rate} a second, {inFlight} in flight.",
      { done: format.integer(done), rate: format.integer(rate), inFlight: kInFlight }));
  };
  const timer = setInterval(report, 500);
  Promise.all(Array.from({ length: kInFlight }, worker))
    .then(report)
    .catch((error) => say(status, t("The load has stopped. {problem}", { problem: error.message }), true))
    .finally(() => {
      clearInterval(timer);
      stopLoad();
    });
}

function stopLoad() {
  loading = false;
  button.setAttribute("aria-pressed", "false");
  button.textContent = t("Load this process");
}
