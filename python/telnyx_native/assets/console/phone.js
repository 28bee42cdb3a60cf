// A phone that is logged in to the gateway: it places calls and is called, one call at a time.

import { Call } from "./call.js";
import { Line } from "./line.js";

const LONGEST_PAUSE = 15_000; // ms between two attempts to connect again

export class Phone extends EventTarget {
  user = "";
  state = "out"; // out, connecting, in
  call = null;
  #line = null;
  #session = null;
  #address;
  #tokenOf;
  #attempt = 0;

  // `tokenOf` gives a login token of a user.
  constructor(address, tokenOf) {
    super();
    this.#address = address;
    this.#tokenOf = tokenOf;
  }

  async logIn(user) {
    this.user = user;
    this.#enter("connecting");
    try {
      await this.#connect();
      this.#attempt = 0;
    } catch (error) {
      this.logOut();
      throw error;
    }
  }

  logOut() {
    this.call?.hangUp();
    this.user = "";
    this.#session = null;
    this.#line?.close();
    this.#line = null;
    this.#enter("out");
  }

  async dial(destination) {
    const call = this.#newCall({ party: destination, number: destination });
    await call.place();
    return call;
  }

  async write(text) {
    const content = [{ type: "input_text", text }];
    const item = { id: crypto.randomUUID(), type: "message", role: "user", content };
    await this.#line.request("ai_conversation", { type: "conversation.item.create", previous_item_id: null, item });
  }

  async #connect() {
    const token = await this.#tokenOf(this.user);
    const line = await Line.open(this.#address);
    if (!this.user) return line.close();
    this.#line = line;
    this.call?.moveTo(line);
    line.addEventListener("closed", () => this.#lost(line));
    line.addEventListener("request", ({ detail }) => this.#take(detail));
    const ready = new Promise((resolve) => line.addEventListener("ready", resolve, { once: true }));
    const { sessid } = await line.request("login", {
      login_token: token,
      reconnection: this.#session !== null,
      ...(this.#session && { sessid: this.#session }),
      "User-Agent": { sdkVersion: "console", data: navigator.userAgent },
    });
    this.#session = sessid;
    await ready;
    const { params } = await line.request("telnyx_rtc.gatewayState", {});
    if (params?.state !== "REGED") throw new Error(`the registration failed: ${params?.state}`);
    this.#enter("in");
  }

  #take({ method, params = {} }) {
    const call = this.call?.id === params.callID ? this.call : null;
    switch (method) {
      case "telnyx_rtc.clientReady":
        if (this.call && params.reattached_sessions && !params.reattached_sessions.includes(this.call.id)) this.call.lost();
        return this.#line.dispatchEvent(new Event("ready"));
      case "telnyx_rtc.invite":
        return this.#ringing(params);
      case "telnyx_rtc.attach":
        // A call that was hung up while there was no connection goes on only there.
        if (!call || call.over) return this.#line.request("telnyx_rtc.bye", { dialogParams: { callID: params.callID } });
        return call.attach(params.sdp);
      case "telnyx_rtc.punt":
        return this.logOut();
      case "ai_conversation":
        return this.dispatchEvent(new CustomEvent("conversation", { detail: params }));
      default:
        return call?.hear(method, params);
    }
  }

  #ringing({ callID, sdp, caller_id_name: name, caller_id_number: number }) {
    if (typeof callID !== "string" || typeof sdp !== "string") return; // a malformed frame is survived
    const busy = this.call && !this.call.over;
    const settings = { id: callID, party: name || number, number, inbound: true };
    if (busy) {
      const other = new Call(this.#line, this.#session, settings);
      other.ring(sdp);
      other.hangUp();
      return;
    }
    this.#newCall(settings).ring(sdp);
  }

  #newCall(settings) {
    const { call } = this;
    if (call && !call.over) throw new Error("there is a call already");
    this.call = new Call(this.#line, this.#session, settings);
    this.call.addEventListener("change", () => this.#changed());
    this.call.addEventListener("failed", ({ detail }) => this.dispatchEvent(new CustomEvent("problem", { detail })));
    return this.call;
  }

  // The socket has closed: come back, unless that is what was wanted.
  async #lost(line) {
    if (line !== this.#line) return;
    if (this.state !== "in") return;
    this.#enter("connecting");
    while (this.user && this.state === "connecting") {
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** this.#attempt++, LONGEST_PAUSE)));
      try {
        if (this.user) await this.#connect();
        this.#attempt = 0;
      } catch {
        // the gateway is not back yet
      }
    }
  }

  #enter(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
