// Requests to the process that serves this page, and the helpers every demonstration shares.
//
//     call      one JSON request; throws an Error whose message can be shown
//     poll      repeat a step, never two at a time, and not while the page is hidden
//     action    run a button's work once at a time and show its failure
//     format    numbers, bytes and times for people

const kTimeoutMs = 20000;
const kRetryMs = 1000;
const banner = document.getElementById("banner");

/** Send one request and return the JSON answer. */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(kTimeoutMs),
    });
  } catch (error) {
    const late = error.name === "TimeoutError";
    showConnection(late ? "The server takes too long to answer." : "The server does not answer.");
    throw new Error(`${method} ${path}: ${late ? `no answer in ${kTimeoutMs / 1000} s` : "no connection"}`);
  }
  showConnection("");
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${response.statusText} ${text.slice(0, 120)}`.trim());
  }
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    throw new Error(`${method} ${path}: the answer is not JSON`);
  }
}

function showConnection(problem) {
  const text = problem && `${problem} Trying again until it is back.`;
  if (banner.textContent === text) return;
  banner.textContent = text;
  banner.hidden = text === "";
}

/**
 * Run `step` now and again `ms` after each end, until it returns false. When it throws, call
 * `failed` with the message, wait a second and go on; `failed("")` when it works again.
 * Returns a function that ends it.
 */
export function poll(ms, step, failed) {
  let timer = 0;
  let stopped = false;
  let broken = false;
  const turn = async () => {
    let again = true;
    try {
      if (!document.hidden) again = (await step()) !== false;
      if (broken) failed("");
      broken = false;
    } catch (error) {
      failed(error.message);
      broken = true;
    }
    if (again && !stopped) timer = setTimeout(turn, broken ? Math.max(ms, kRetryMs) : ms);
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Run `work` on each click unless the last one still runs or the button is disabled. */
export function action(button, status, work) {
  let busy = false;
  button.addEventListener("click", async () => {
    if (busy || button.getAttribute("aria-disabled") === "true") return;
    busy = true;
    button.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      say(status, error.message, true);
    } finally {
      busy = false;
      button.removeAttribute("aria-busy");
    }
  });
}

/** Show one sentence in a status line. */
export function say(status, text, failed = false) {
  status.classList.toggle("error", failed);
  if (status.textContent !== text) status.textContent = text;
}

export function setText(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

export function svgElement(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const format = {
  integer: (n) => integer.format(n),
  short: (n) => (n < 10000 ? integer.format(n) : n < 1e6 ? `${trim(n / 1e3)} k` : `${trim(n / 1e6)} M`),
  bytes: (n) => (n < 1e6 ? `${integer.format(n / 1e3)} kB` : `${trim(n / 1e6)} MB`),
  ms: (n) => (n < 10 ? `${n.toFixed(1)} ms` : `${integer.format(n)} ms`),
  uptime(seconds) {
    const s = Math.floor(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  },
};

function trim(n) {
  return n >= 100 ? integer.format(n) : n.toFixed(1);
}
