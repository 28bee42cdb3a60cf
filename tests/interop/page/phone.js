// Telnyx's JavaScript SDK, unmodified, with what a test needs to drive it: `phone`, and a log of what happens.

import { TelnyxRTC } from "/sdk/bundle.mjs";

// On one machine there is nothing to ask a STUN server.
const LOCAL = { iceServers: [] };

class Phone {
  client = null;
  calls = {}; // the latest object of each call, by id
  states = {}; // the states of each call, in order
  log = []; // [kind, details]

  logIn(options) {
    this.client = new TelnyxRTC(options);
    this.client.on("telnyx.ready", () => this.#note("ready"));
    this.client.on("telnyx.error", ({ error }) => this.#note("error", error?.code));
    this.client.on("telnyx.socket.close", () => this.#note("socket closed"));
    this.client.on("telnyx.warning", ({ warning }) => this.#note("warning", warning?.code));
    this.client.on("telnyx.ai.conversation", ({ params }) => this.#note(params.type, params));
    this.client.on("telnyx.notification", (notification) => this.#hear(notification));
    this.client.connect();
  }

  call(destinationNumber, options = {}) {
    const { id } = this.client.newCall({ destinationNumber, remoteElement: "speaker-1", ...LOCAL, ...options });
    return id;
  }

  answer(id, options = {}) {
    return this.calls[id].answer({ remoteElement: "speaker-1", ...LOCAL, ...options });
  }

  // What is known about a call that is plain data.
  told(id) {
    const { state, direction, cause, causeCode, sipCode, sipReason, options, telnyxIDs } = this.calls[id];
    const { remoteCallerName, remoteCallerNumber, customHeaders } = options;
    return { state, direction, cause, causeCode, sipCode, sipReason, remoteCallerName, remoteCallerNumber, customHeaders, telnyxIDs };
  }

  // The loudest frequency of what a call brings, in Hz; 0 for silence.
  async heard(id) {
    const stream = this.calls[id]?.remoteStream;
    if (!stream?.getAudioTracks().length) return 0;
    const context = new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 8192 });
    context.createMediaStreamSource(stream).connect(analyser);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    await context.close();
    return bins[loudest] < -60 ? 0 : (loudest * context.sampleRate) / analyser.fftSize;
  }

  has(kind, details) {
    return this.log.some(([one, what]) => one === kind && (details === undefined || what === details));
  }

  #hear({ type, call, ...rest }) {
    if (type !== "callUpdate") return this.#note(type, rest.displayName ?? rest.participant?.displayName ?? null);
    this.calls[call.id] = call;
    const states = (this.states[call.id] ??= []);
    if (states.at(-1) !== call.state) states.push(call.state);
  }

  #note(kind, details = null) {
    this.log.push([kind, details]);
  }
}

window.phone = new Phone();
