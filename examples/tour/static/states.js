// What tasks wait for, as the library names it, in the language of the page.

import { t } from "./texts.js";

const kStates = {
  new: t("new"),
  ready: t("ready"),
  running: t("running"),
  waiting: t("waiting"),
  sleeping: t("sleeping"),
  "joining a group": t("joining a group"),
  "waiting for a task": t("waiting for a task"),
};

/** "cancelled, sleeping" and the like; what is not known stays as it is. */
export function stateText(state) {
  const cancelled = state.startsWith("cancelled, ");
  const plain = cancelled ? state.slice("cancelled, ".length) : state;
  const text = kStates[plain] ?? plain;
  return cancelled ? t("cancelled, {state}", { state: text }) : text;
}
