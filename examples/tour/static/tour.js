// What every page of the tour has: coloured listings, the strip of the live process, the menu of stops.

import { colourListings } from "./code.js";
import { startLive } from "./live.js";

const menu = document.querySelector(".stops-menu details");

// A menu closes at Escape, and when somebody clicks or goes elsewhere.
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
menu.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
document.addEventListener("click", (event) => {
  if (!menu.contains(event.target)) menu.open = false;
});

colourListings();
if (document.querySelector(".live")) startLive();
