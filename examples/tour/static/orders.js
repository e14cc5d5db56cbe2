// An order that is sent as JSON, and what the API says of it.

import { say, send } from "./api.js";
import { t, tn } from "./texts.js";

const kOrders = {
  right: { customer: "ada", lines: [{ item: "teapot", count: 1 }, { item: "cup", count: 6 }] },
  wrong: { customer: "Ada Lovelace", lines: [{ item: "", count: 1000 }] },
};

const body = document.getElementById("order-body");
const status = document.getElementById("order-status");
const answer = document.getElementById("order-answer");

function fill(name) {
  body.value = `${JSON.stringify(kOrders[name], null, 2)}\n`;
}

async function order() {
  const response = await send("POST", "/api/orders",
    { headers: { "Content-Type": "application/json", Accept: "application/json" }, body: body.value });
  const result = await response.json();
  answer.textContent = `HTTP/1.1 ${response.status} ${response.statusText}\n` +
    `content-type: ${response.headers.get("content-type")}\n\n${JSON.stringify(result, null, 2)}`;
  const wrong = result.errors?.length ?? 0;
  if (response.ok) say(status, t("Taken."));
  else if (wrong) say(status, tn("Refused: one field is wrong.", "Refused: {count} fields are wrong.", wrong), true);
  else say(status, t("Refused with {status}.", { status: response.status }), true);
}

document.getElementById("order-form").addEventListener("submit", (event) => {
  event.preventDefault();
  order().catch((error) => say(status, error.message, true));
});
for (const button of document.querySelectorAll("[data-order]")) {
  button.addEventListener("click", () => fill(button.dataset.order));
}
fill("wrong");
