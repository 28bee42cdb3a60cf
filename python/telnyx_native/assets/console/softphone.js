// The phone on the page: its buttons, and what they show.

import { $, duration, element } from "./dom.js";
import { Meter, showLevel } from "./meter.js";
import { Phone } from "./phone.js";
import { Transcript } from "./transcript.js";

const KEYS = [..."123456789*0#"];
const STATES = { out: "not logged in", connecting: "connecting …", in: "ready" };

export class Softphone {
  #phone;
  #meters = null; // of the call that is shown
  #transcript;
  #shown = null;
  #first = ""; // whom to call first
  #talked = false;

  constructor(control) {
    const address = new URL("./", location);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    this.#phone = new Phone(address, async (user) => (await control.post(`users/${encodeURIComponent(user)}/token`)).login_token);
    this.#transcript = new Transcript((text) => this.#try(() => this.#phone.write(text)));
    this.#phone.addEventListener("change", () => this.#show());
    this.#phone.addEventListener("problem", ({ detail }) => this.#complain(detail));
    this.#phone.addEventListener("conversation", ({ detail }) => this.#transcript.hear(detail));
    this.#wire();
    this.#show();
    if (!isSecureContext) {
      this.#complain("Browsers give a page the microphone only over https, or on the machine itself: start the gateway with --tls.");
      for (const id of ["login-button", "dial-button"]) $(id).disabled = true;
    }
    const animate = () => { this.#animate(); requestAnimationFrame(animate); };
    animate();
  }

  offer(users, destinations) {
    $("user").replaceChildren(...users.map(({ name }) => element("option", {}, name)));
    // The first user is whom programs log in as: see the examples.
    $("user").value = (users.findLast(({ connections }) => connections === 0) ?? users[0])?.name ?? "";
    $("destinations").replaceChildren(...[...users.map(({ name }) => name), ...destinations].map((value) => element("option", { value })));
    $("suggestions").replaceChildren(
      ...destinations.map((name) => element("button", { type: "button", onclick: () => this.dial(name) }, name)),
    );
    this.#show();
  }

  // Shows the first step: to call somebody who is there, or the echo.
  suggest(users) {
    const own = this.#phone.user || $("user").value;
    this.#first = users.find(({ name, connections }) => connections > 0 && name !== own)?.name ?? "echo";
    $("first-button").textContent = this.#first === "echo" ? "Hear yourself" : `Talk to ${this.#first}`;
    $("first-note").textContent = this.#first === "echo" ? "The echo says back what you say." : `You call as ${own}.`;
    this.#show();
  }

  async dial(destination) {
    $("destination").value = destination;
    if (this.#phone.state === "out") await this.#try(() => this.#phone.logIn($("user").value));
    if (this.#phone.state === "in") await this.#try(() => this.#phone.dial(destination));
  }

  #wire() {
    const submit = (id, act) => $(id).addEventListener("submit", (event) => { event.preventDefault(); act(); });
    submit("login", () => {
      if (this.#phone.state === "out") this.#try(() => this.#phone.logIn($("user").value));
      else this.#phone.logOut();
    });
    submit("dial", () => this.dial($("destination").value.trim()));
    $("first-button").onclick = () => this.dial(this.#first);
    $("answer").onclick = () => this.#try(() => this.#phone.call.answer());
    $("reject").onclick = () => this.#phone.call.hangUp();
    $("hang-up").onclick = () => this.#phone.call.hangUp();
    $("mute").onclick = () => this.#phone.call.mute(!this.#phone.call.muted);
    $("hold").onclick = () => this.#try(() => this.#phone.call.hold(!this.#phone.call.held));
    $("pad").append(...KEYS.map((key) => element("button", { type: "button", onclick: () => this.#press(key) }, key)));
    document.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("pagehide", () => this.#phone.logOut());
  }

  // The keyboard is a keypad while a call is up and nothing is being written.
  #key(event) {
    const { call } = this.#phone;
    const writing = event.target.closest("input, select, textarea");
    if (!call || call.over || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return call.hangUp();
    if (writing || call.state !== "active") return;
    if (KEYS.includes(event.key)) this.#press(event.key);
    if (event.key === "m") $("mute").click();
    if (event.key === "h") $("hold").click();
  }

  #press(key) {
    const { call } = this.#phone;
    if (call?.state === "active") this.#try(() => call.press(key));
  }

  async #try(step) {
    this.#complain("");
    try {
      await step();
    } catch (error) {
      this.#complain(error.message);
    }
  }

  #complain(text) {
    $("problem").textContent = text;
    $("problem").hidden = !text;
  }

  #show() {
    const { state, user, call } = this.#phone;
    const busy = call !== null && !call.over;
    const rings = busy && call.inbound && call.state === "ringing";
    $("phone-state").textContent = state === "in" ? `${user} · ready` : STATES[state];
    $("phone-state").classList.toggle("good", state === "in");
    $("login-button").textContent = state === "out" ? "Log in" : "Log out";
    $("user").disabled = state !== "out";
    this.#talked ||= call?.began != null;
    $("first-step").hidden = this.#talked || busy || !this.#first || !isSecureContext;
    $("dial").hidden = $("suggestions").hidden = busy;
    $("incoming").hidden = !rings;
    $("talk").hidden = !busy || rings;
    if (rings && $("incoming-from").textContent !== call.party) {
      $("incoming-from").textContent = call.party;
      $("answer").focus();
    }
    if (!rings) $("incoming-from").textContent = "";
    if (call) this.#showCall(call);
  }

  #showCall(call) {
    if (call !== this.#shown) {
      this.#shown = call;
      this.#transcript.clear();
    }
    $("party").textContent = call.party;
    $("call-state").textContent = call.held ? "on hold" : call.state;
    $("mute").setAttribute("aria-pressed", call.muted);
    $("hold").setAttribute("aria-pressed", call.held);
    $("hold").disabled = call.state !== "active" || call.holding;
    for (const key of $("pad").children) key.disabled = call.state !== "active";
    if (call.over) return this.#silence(call);
    if ($("speaker").srcObject !== call.remote) $("speaker").srcObject = call.remote;
    if (!this.#meters && call.microphone && call.remote.getAudioTracks().length)
      this.#meters = { said: new Meter(call.microphone), heard: new Meter(call.remote) };
  }

  #silence(call) {
    $("speaker").srcObject = null;
    this.#meters?.said.close();
    this.#meters?.heard.close();
    this.#meters = null;
    if (call.refusal) this.#complain(`The call has ended: ${call.refusal}`);
  }

  #animate() {
    const { call } = this.#phone;
    $("clock").textContent = call?.began && !call.over ? duration(Date.now() - call.began) : "";
    for (const side of ["said", "heard"]) showLevel($(`level-${side}`), this.#meters?.[side].level ?? 0);
  }
}
