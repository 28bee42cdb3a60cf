// The list of users, and who of them is there.

import { $, element } from "./dom.js";

const FAULTS = {
  drop: "cut the sockets",
  freeze: "freeze the sockets",
  thaw: "thaw the sockets",
  malformed: "send a malformed frame",
  "delay:1": "delay messages by 1 s",
  duplicate: "send messages twice",
  "media:loss=0.05,burst=3": "lose 5 % of audio",
  "media:jitter=0.08": "audio: 80 ms jitter",
  "media:delay=0.3": "audio: 300 ms late",
  "registration:refused": "refuse logins",
  "registration:FAIL_WAIT": "registration: FAIL_WAIT",
  "registration:NOREG": "registration: NOREG",
  "registration:EXPIRED": "registration: EXPIRED",
  "registration:no_answer": "registration: no answer",
  "expire-tokens": "expire the tokens",
  clear: "behave again",
};

export class Users {
  #control;
  #dial;
  #seen;
  #users = [];

  // `dial` calls one of them; `seen` is told of all whenever something changes.
  constructor(control, dial, seen) {
    this.#control = control;
    this.#dial = dial;
    this.#seen = seen;
    const update = async () => this.show(await control.get("users"));
    control.addEventListener("snapshot", ({ detail }) => this.show(detail.users));
    control.addEventListener("user", () => update().catch(() => {}));
  }

  show(users) {
    this.#users = users;
    $("nobody").hidden = users.some(({ connections }) => connections > 0);
    $("users").replaceChildren(...this.#users.map((user) => this.#row(user)));
    this.#seen(users);
  }

  #faults(name) {
    return element(
      "select",
      {
        ariaLabel: `Disturb ${name}`,
        title: "Let the gateway misbehave towards this user",
        onchange: async ({ target }) => {
          const { message = "" } = await this.#control.post(`users/${encodeURIComponent(name)}/faults`, { fault: target.value }).catch((error) => error);
          $("fault-problem").textContent = message;
          target.selectedIndex = 0;
        },
      },
      element("option", { disabled: true, selected: true }, "Disturb"),
      ...Object.entries(FAULTS).map(([value, label]) => element("option", { value }, label)),
    );
  }

  #row({ name, number, connections }) {
    const there = connections === 0 ? "offline" : connections === 1 ? "logged in" : `logged in ${connections} times`;
    return element(
      "li",
      {},
      element("span", { className: connections ? "dot on" : "dot" }),
      element("span", { className: "who" }, element("b", {}, name), ` ${number ?? ""}`, element("small", {}, there)),
      this.#faults(name),
      element("button", { disabled: !connections, ariaLabel: `Call ${name}`, onclick: () => this.#dial(name) }, "Call"),
    );
  }
}
