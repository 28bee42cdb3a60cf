// What an assistant and its caller say, as text.

import { $, element } from "./dom.js";

export class Transcript {
  #lines = new Map(); // by the id of the item

  constructor(write) {
    $("write").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = $("text").value.trim();
      if (text) write(text);
      $("text").value = "";
    });
  }

  clear() {
    this.#lines.clear();
    $("said").replaceChildren();
    $("transcript").hidden = true;
  }

  // Takes a message about the conversation; those that are no text are left out.
  hear({ type, item, item_id, delta }) {
    if (type === "response.text.delta") this.#line(item_id, "assistant").textContent += delta;
    if (type !== "conversation.item.created" || item?.type !== "message") return;
    const text = (item.content ?? []).map((part) => part.text ?? part.transcript ?? "").join(" ").trim();
    if (text) this.#line(item.id, item.role).textContent = text;
  }

  #line(id, role) {
    if (!this.#lines.has(id)) {
      const line = element("li", { className: role === "user" ? "user" : "assistant" });
      $("said").append(line);
      this.#lines.set(id, line);
      $("transcript").hidden = false;
    }
    $("said").scrollTop = $("said").scrollHeight;
    return this.#lines.get(id);
  }
}
