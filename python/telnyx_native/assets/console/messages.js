// The messages on the wire, the newest first.

import { $, element } from "./dom.js";

const MOST = 500;

export class Messages {
  #paused = false;

  constructor(control) {
    control.addEventListener("message", ({ detail }) => this.#paused || this.#add(detail));
    control.addEventListener("push", ({ detail }) => this.#paused || this.#announce(detail));
    $("pause").onclick = () => {
      this.#paused = !this.#paused;
      $("pause").setAttribute("aria-pressed", this.#paused);
    };
    $("clear").onclick = () => {
      $("messages").replaceChildren();
      this.#count();
    };
    for (const id of ["filter", "chatter"]) $(id).addEventListener("input", () => this.#filter());
  }

  #add({ time, user, sent, text }) {
    const frame = parse(text);
    const name = frame?.method ?? frame?.type ?? (frame?.error ? "error" : frame ? "result" : "malformed");
    this.#insert({
      time,
      user: user || "nobody",
      sent,
      name: short(name),
      failed: frame === null || frame.error !== undefined,
      remark: note(frame),
      chatter: name === "telnyx_rtc.ping" || frame?.result?.method !== undefined || frame?.result?.message === "PONG",
      text: frame ? JSON.stringify(frame, null, 2).replaceAll("\\r\\n", "\n    ") : text,
    });
  }

  // A push notification that a device would get.
  #announce({ time, user, provider, payload }) {
    const text = JSON.stringify(payload, null, 2);
    this.#insert({ time, user, sent: true, name: "push", remark: `${payload.message} · ${provider}`, text });
  }

  #insert({ time, user, sent, name, failed, remark, chatter, text }) {
    const row = element(
      "li",
      {},
      element(
        "details",
        {},
        element(
          "summary",
          {},
          element("span", { className: "when" }, new Date(time * 1000).toLocaleTimeString([], { hour12: false })),
          element("span", { className: sent ? "user out" : "user in" }, `${sent ? "→" : "←"} ${user}`),
          element("span", { className: failed ? "name failed" : "name" }, name),
          element("span", { className: "note" }, remark),
        ),
        element("pre", {}, text),
      ),
    );
    row.dataset.text = `${user} ${text}`.toLowerCase();
    row.dataset.chatter = Boolean(chatter);
    row.hidden = !this.#wanted(row);
    const list = $("messages");
    const scrolled = list.scrollTop;
    const height = list.scrollHeight;
    list.prepend(row);
    if (scrolled > 0) list.scrollTop = scrolled + list.scrollHeight - height; // what is being read stays in place
    while (list.children.length > MOST) list.lastElementChild.remove();
    this.#count();
  }

  #filter() {
    for (const row of $("messages").children) row.hidden = !this.#wanted(row);
    this.#count();
  }

  #count() {
    const any = $("messages").querySelector("li:not([hidden])") !== null;
    $("messages").hidden = !any;
    $("no-messages").hidden = any;
  }

  #wanted({ dataset }) {
    return ($("chatter").checked || dataset.chatter !== "true") && dataset.text.includes($("filter").value.toLowerCase());
  }
}

// A method without what all of them begin with; a malformed frame may have anything for it.
function short(method) {
  return String(method).replace("telnyx_rtc.", "");
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return frame && typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}

// What tells one message from another at a glance.
function note(frame) {
  const { params, result, error } = frame ?? {};
  const dialog = params?.dialogParams ?? {};
  return [
    error?.message,
    result?.message ?? result?.params?.state ?? (result?.method && `of ${short(result.method)}`),
    params?.cause,
    params?.action,
    params?.type,
    params?.delta,
    params?.login,
    dialog.destination_number ?? (params?.caller_id_number && `from ${params.caller_id_number}`),
  ].filter(Boolean).join(" · ");
}
