// Requests to the process that serves this page, and the helpers every demonstration shares.
//
//     send      one request with the token that forged ones lack
//     call      the same with JSON in and out; throws an Error whose message can be shown
//     poll      repeat a step, never two at a time, and not while the page is hidden
//     action    run a button's work once at a time and show its failure

import { t } from "./texts.js";

const kTimeoutMs = 20000;
const kRetryMs = 1000;
const banner = document.getElementById("banner");

/** Send one request and return its Response, whatever its status. Throws when there is no answer. */
export async function send(method, path, { headers = {}, body, signal } = {}) {
  const token = document.querySelector("meta[name=xsrf]").content;
  const limit = AbortSignal.timeout(kTimeoutMs);
  try {
    const response = await fetch(path, {
      method,
      body,
      cache: "no-store",
      headers: method === "GET" ? headers : { "X-XSRFToken": token, ...headers },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    showConnection("");
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = error.name === "TimeoutError";
    showConnection(late ? t("The server takes too long to answer.") : t("The server does not answer."));
    throw new Error(late ? t("{request}: no answer in time.", { request: `${method} ${path}` })
      : t("{request}: no connection.", { request: `${method} ${path}` }));
  }
}

/** Send one request and return the JSON answer. */
export async function call(method, path, body) {
  const response = await send(method, path, body === undefined ? {} :
    { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(t("{request}: the server answered {status}.", { request: `${method} ${path}`, status: response.status }));
  }
  return text === "" ? null : JSON.parse(text);
}

function showConnection(problem) {
  const text = problem && t("{problem} Trying again until it is back.", { problem });
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
