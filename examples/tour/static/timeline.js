// The same steps in sequence, together and blocking, drawn on one time axis.

import { action, call, say, setText, svgElement } from "./api.js";
import { format, t, tn } from "./texts.js";

const kModes = ["sequential", "multi", "blocking"];
const kSteps = 5;
const kStepMs = 200;
const kBeatMs = 10;
const kSilenceMs = 50;  // a gap between two beats worth marking

const kLabelWidth = 56;
const kRow = 20;
const kBarHeight = 12;
const kBeatHeight = 18;
const kAxisHeight = 24;

const status = document.getElementById("timeline-status");
const results = new Map();

export function startTimeline() {
  action(document.getElementById("timeline-run"), status, runAll);
  for (const mode of kModes) {
    new ResizeObserver(() => draw(mode)).observe(document.getElementById(`${mode}-chart`));
  }
}

async function runAll() {
  results.clear();
  for (const mode of kModes) {
    draw(mode);
    setText(`${mode}-total`, "");
    setText(`${mode}-caption`, t("Waiting for its turn."));
  }
  for (const mode of kModes) {
    say(status, t("Running…"));
    setText(`${mode}-caption`, t("Running…"));
    try {
      results.set(mode, await call("POST", "/api/timeline", { mode, steps: kSteps, ms: kStepMs }));
    } catch (error) {
      setText(`${mode}-caption`, t("Failed."));
      throw error;
    }
    kModes.forEach(draw);
    describe(mode, results.get(mode));
  }
  const [first, second, third] = kModes.map((mode) => format.ms(results.get(mode).total_ms));
  say(status, t("Done: one by one {first}, together {second}, blocking {third}.", { first, second, third }));
}

function describe(mode, result) {
  const silence = longest(silences(result, 0));
  const tasks = new Set(result.spans.map((span) => span.task)).size;
  setText(`${mode}-total`, format.ms(result.total_ms));
  setText(
    `${mode}-caption`,
    t("{steps} steps in {tasks}, {time} in all. The other coroutine had {turns} turns; its longest wait was {silence}.", {
      steps: result.spans.length,
      tasks: tn("one task", "{count} tasks", tasks),
      time: format.ms(result.total_ms),
      turns: result.heartbeat.length,
      silence: format.ms(silence),
    }),
  );
  document.getElementById(`${mode}-chart`).setAttribute(
    "aria-label",
    result.spans.map((span, i) => t("Step {step} from {start} to {end}",
      { step: i + 1, start: format.ms(span.start_ms), end: format.ms(span.end_ms) })).join("; "),
  );
}

/** Stretches of at least `minimum` ms in which the heartbeat had no turn, as [begin, end]. */
function silences({ heartbeat, total_ms }, minimum) {
  const edges = [0, ...heartbeat, total_ms];
  const gaps = [];
  for (let i = 1; i < edges.length; ++i) {
    if (edges[i] - edges[i - 1] >= minimum) gaps.push([edges[i - 1], edges[i]]);
  }
  return gaps;
}

function longest(gaps) {
  return gaps.reduce((most, [begin, end]) => Math.max(most, end - begin), 0);
}

function draw(mode) {
  const svg = document.getElementById(`${mode}-chart`);
  const width = svg.clientWidth;
  const height = kSteps * kRow + kBeatHeight + kAxisHeight + 8;
  svg.setAttribute("height", height);
  svg.replaceChildren();
  if (width === 0) return;

  const totals = [...results.values()].map((result) => result.total_ms);
  const end = Math.max(...totals, kSteps * kStepMs) * 1.04;
  const x = (ms) => kLabelWidth + (ms / end) * (width - kLabelWidth - 2);
  drawAxis(svg, x, end, height);
  for (let i = 0; i < kSteps; ++i) {
    svg.append(svgElement("text", { class: "chart-label", x: 0, y: i * kRow + 14 }, t("step {step}", { step: i + 1 })));
  }
  svg.append(svgElement("text", { class: "chart-label", x: 0, y: kSteps * kRow + 17 }, t("beats")));

  const result = results.get(mode);
  if (!result) return;
  result.spans.forEach((span, i) => svg.append(bar(span, i, x)));
  drawBeats(svg, result, x, kSteps * kRow + 3);
}

function drawAxis(svg, x, end, height) {
  const bottom = height - kAxisHeight;
  const step = x(200) - x(0) < 48 ? 400 : 200;
  for (let ms = 0; ms <= end; ms += step) {
    svg.append(
      svgElement("line", { class: "chart-grid", x1: x(ms), x2: x(ms), y1: 0, y2: bottom }),
      svgElement("text", { class: "chart-tick", x: x(ms), y: bottom + 16 }, ms === 0 ? format.ms(0).replace(/[.,]0/, "") : format.integer(ms)),
    );
  }
}

function bar(span, row, x) {
  const rect = svgElement("rect", {
    class: "chart-bar",
    x: x(span.start_ms),
    y: row * kRow + 4,
    width: Math.max(x(span.end_ms) - x(span.start_ms), 1.5),
    height: kBarHeight,
    rx: 3,
  });
  const took = format.ms(span.end_ms - span.start_ms);
  rect.append(svgElement("title", {}, t("Step {step}: {took}, task {task}", { step: row + 1, took, task: span.task })));
  return rect;
}

function drawBeats(svg, result, x, top) {
  for (const [begin, end] of silences(result, kSilenceMs)) {
    svg.append(
      svgElement("rect", { class: "chart-silence", x: x(begin), y: top, width: x(end) - x(begin), height: kBeatHeight, rx: 3 }),
    );
    const middle = (x(begin) + x(end)) / 2;
    if (x(end) - x(begin) > 130) {
      svg.append(svgElement("text", { class: "chart-silence-text", x: middle, y: top + 13 }, t("nobody else ran: {time}", { time: format.ms(end - begin) })));
    }
  }
  const path = result.heartbeat.map((ms) => `M${x(ms).toFixed(1)} ${top + 2}v${kBeatHeight - 4}`).join("");
  const beats = svgElement("path", { class: "chart-beats", d: path });
  beats.append(svgElement("title", {}, t("a turn every {time}, when the loop is free", { time: format.ms(kBeatMs) })));
  svg.append(beats);
}
