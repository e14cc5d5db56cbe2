// The chat room: what is said goes to the server and comes back to everybody.

import { say } from "./api.js";
import { t } from "./texts.js";

const kRetryMs = 1000;
const kShown = 200;

const status = document.getElementById("chat-status");
const log = document.getElementById("chat-log");
const form = document.getElementById("chat-form");
const nameField = document.getElementById("chat-name");
const textField = document.getElementById("chat-text");
let socket = null;

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/chat`);
  socket.onopen = () => say(status, t("You are in the room."));
  socket.onmessage = (event) => show(JSON.parse(event.data));
  socket.onclose = () => {
    say(status, t("The room is out of reach. Trying again until it is back."), true);
    setTimeout(connect, kRetryMs);
  };
}

function show({ name, text }) {
  const item = document.createElement("li");
  const who = document.createElement("b");
  who.textContent = name;
  item.append(who, " ", text);
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(item);
  if (log.children.length > kShown) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ name: nameField.value.trim(), text: textField.value.trim() }));
  textField.value = "";
  textField.focus();
});

nameField.value = t("Guest {number}", { number: 1 + Math.floor(Math.random() * 99) });
connect();
