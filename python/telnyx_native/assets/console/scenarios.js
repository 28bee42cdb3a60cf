// Scenarios: faults that follow one another, by name.

import { $, element } from "./dom.js";

export class Scenarios {
  #control;

  constructor(control) {
    this.#control = control;
    $("scenario").onchange = ({ target }) => this.#change("put", target.value);
    control.addEventListener("connected", () => this.#change("get"));
  }

  async #change(method, name) {
    try {
      this.#show(await this.#control[method](name ? `scenarios/${name}` : "scenarios"));
    } catch {
      // the gateway is away: a scenario may have done it
    }
  }

  #show(scenarios) {
    $("scenario").replaceChildren(
      element("option", { disabled: true, selected: true }, "none"),
      ...scenarios.map(({ name, summary, running }) => element("option", { value: name, title: summary, disabled: running }, name)),
    );
    $("scenarios").replaceChildren(
      ...scenarios.filter(({ running }) => running).map(({ name, summary }) =>
        element(
          "li",
          {},
          element("span", { className: "grow" }, element("b", {}, name), `: ${summary}`),
          element("button", { ariaLabel: `End ${name}`, onclick: () => this.#change("delete", name) }, "End"),
        ),
      ),
    );
  }
}
