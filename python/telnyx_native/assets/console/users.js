// The list of users, and who of them is there.

import { $, element } from "./dom.js";

export class Users {
  #dial;
  #users = [];

  constructor(control, dial) {
    this.#dial = dial;
    const update = async () => this.show(await control.get("users"));
    control.addEventListener("snapshot", ({ detail }) => this.show(detail.users));
    control.addEventListener("user", () => update().catch(() => {}));
  }

  show(users) {
    this.#users = users;
    $("users").replaceChildren(...this.#users.map((user) => this.#row(user)));
  }

  #row({ name, number, sessions }) {
    const there = sessions === 0 ? "offline" : sessions === 1 ? "logged in" : `logged in ${sessions} times`;
    return element(
      "li",
      {},
      element("span", { className: sessions ? "dot on" : "dot" }),
      element("span", { className: "who" }, name, element("small", {}, [there, number].filter(Boolean).join(" · "))),
      element("button", { disabled: !sessions, ariaLabel: `Call ${name}`, onclick: () => this.#dial(name) }, "Call"),
    );
  }
}
