// The legs of the calls that are going on, with levels and plots.

import { $, duration, element } from "./dom.js";
import { scale, showLevel } from "./meter.js";

const HISTORY = 120; // measurements in a plot: a minute
const FAREWELL = 4000; // ms that a call stays when it is over
const PLOTS = {
  mos: { name: "MOS", low: 1, high: 5, bad: (value) => value < 3.5, text: (value) => value.toFixed(2) },
  loss: { name: "Loss", low: 0, high: 0.1, bad: (value) => value > 0.01, text: (value) => `${(value * 100).toFixed(1)} %` },
  jitter: { name: "Jitter", low: 0, high: 0.05, bad: (value) => value > 0.03, text: (value) => `${(value * 1000).toFixed(1)} ms` },
  rtt: { name: "Round trip", low: 0, high: 0.3, bad: (value) => value > 0.4, text: (value) => `${(value * 1000).toFixed(0)} ms` },
}; // "bad" is where Telnyx's JavaScript SDK begins to warn

export class Calls {
  #control;
  #rows = new Map(); // by id

  constructor(control) {
    this.#control = control;
    control.addEventListener("snapshot", ({ detail }) => {
      for (const row of this.#rows.values()) row.element.remove();
      this.#rows.clear();
      detail.calls.forEach((call) => this.#update(call));
      this.#count();
    });
    control.addEventListener("call", ({ detail }) => this.#update(detail));
    control.addEventListener("quality", ({ detail }) => this.#rows.get(detail.id)?.measure(detail));
    setInterval(() => this.#rows.forEach((row) => row.tick()), 1000);
  }

  #update(call) {
    if (!this.#rows.has(call.id)) {
      const row = new Row(call, () => this.#control.delete(`calls/${call.id}`).catch(() => {}));
      this.#rows.set(call.id, row);
      $("calls").prepend(row.element);
    }
    this.#rows.get(call.id).update(call);
    if (call.state === "ended") setTimeout(() => this.#drop(call.id), FAREWELL);
    this.#count();
  }

  #drop(id) {
    this.#rows.get(id)?.element.remove();
    this.#rows.delete(id);
    this.#count();
  }

  #count() {
    $("no-calls").hidden = this.#rows.size > 0;
  }
}

class Row {
  #call;
  #state = element("span", { className: "pill" });
  #clock = element("time");
  #hangUp;
  #levels = { level_in: levelBar("said", "Level of what the client says"), level_out: levelBar("heard", "Level of what the client hears") };
  #plots = Object.fromEntries(Object.entries(PLOTS).map(([key, plot]) => [key, new Plot(plot)]));

  constructor(call, hangUp) {
    this.#hangUp = element("button", { onclick: hangUp }, "Hang up");
    const { from, to, user, direction } = call;
    this.element = element(
      "li",
      {},
      element(
        "div",
        { className: "title" },
        element("strong", {}, `${from.number} → ${to.number}`),
        this.#state,
        this.#clock,
        element("span", { className: "by" }, direction === "inbound" ? `rings at ${user}` : `placed by ${user}`),
        this.#hangUp,
      ),
      element(
        "div",
        { className: "quality" },
        element("div", { className: "levels" }, "says", this.#levels.level_in, "hears", this.#levels.level_out),
        ...Object.values(this.#plots).map((plot) => plot.element),
      ),
    );
  }

  update(call) {
    this.#call = call;
    const over = call.state === "ended";
    this.#state.textContent = over ? call.reason.cause : call.held ? "on hold" : call.state;
    this.#state.classList.toggle("good", call.state === "answered" && !call.held);
    this.#hangUp.disabled = over;
    this.element.classList.toggle("ended", over);
    this.tick();
  }

  tick() {
    if (this.#call.begun && this.#call.state !== "ended") this.#clock.textContent = duration(Date.now() - this.#call.begun * 1000);
  }

  measure(measurement) {
    for (const [key, level] of Object.entries(this.#levels)) showLevel(level, scale(measurement[key] ?? 0));
    for (const [key, plot] of Object.entries(this.#plots)) plot.add(measurement[key]);
  }
}

// A line over the last minute.
class Plot {
  #settings;
  #values = [];
  #text = element("b", {}, "–");
  #line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");

  constructor(settings) {
    this.#settings = settings;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${HISTORY - 1} 30`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    svg.append(this.#line);
    this.element = element("div", { className: "plot" }, settings.name, this.#text, svg);
  }

  add(value) {
    if (value == null) return;
    this.#values = [...this.#values, value].slice(-HISTORY);
    const { low, high, bad, text } = this.#settings;
    const top = Math.max(high, ...this.#values);
    const start = HISTORY - this.#values.length;
    const points = this.#values.map((each, i) => `${start + i},${(28 - (26 * (each - low)) / (top - low)).toFixed(1)}`);
    this.#line.setAttribute("points", points.join(" "));
    this.#text.textContent = text(value);
    this.element.classList.toggle("bad", bad(value));
  }
}

function levelBar(side, ariaLabel) {
  return element("span", { className: `level ${side}`, role: "meter", ariaLabel, ariaValueMin: 0, ariaValueMax: 1 }, element("i"));
}
