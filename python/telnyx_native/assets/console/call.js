// One call of the phone: its audio by the browser's WebRTC, its messages on the phone's line.

const GATHERING_LIMIT = 1_000; // ms; on one machine the candidates are there at once
const GOOD_ENDS = new Set(["NORMAL_CLEARING", "ORIGINATOR_CANCEL"]);

export class Call extends EventTarget {
  state = "new";
  muted = false;
  held = false;
  holding = false; // while the gateway is asked
  cause = "";
  refusal = ""; // the cause, if the other side has ended the call in no good way
  began = null; // ms, when it was answered
  microphone = null;
  remote = new MediaStream();
  #line;
  #session;
  #peer = null;
  #offer = null;

  constructor(line, session, { id = crypto.randomUUID(), party, number, inbound = false }) {
    super();
    Object.assign(this, { id, party, number, inbound });
    this.#line = line;
    this.#session = session;
  }

  get over() {
    return this.state === "ended";
  }

  async place() {
    this.#enter("calling");
    await this.#guard(async () => {
      await this.#openAudio();
      if (this.over) return;
      await this.#peer.setLocalDescription(await this.#peer.createOffer());
      const sdp = await this.#described();
      await this.#ask("telnyx_rtc.invite", { sdp });
    });
  }

  ring(sdp) {
    this.#offer = sdp;
    this.#enter("ringing");
  }

  async answer(method = "telnyx_rtc.answer") {
    await this.#guard(async () => {
      await this.#openAudio();
      if (this.over) return;
      await this.#peer.setRemoteDescription({ type: "offer", sdp: this.#offer });
      await this.#peer.setLocalDescription(await this.#peer.createAnswer());
      await this.#ask(method, { sdp: await this.#described() });
      this.#enter("active");
    });
  }

  // Goes on over another connection, when the first is lost.
  moveTo(line) {
    this.#line = line;
  }

  // New audio for a call that went on while the page had no connection.
  async attach(sdp) {
    this.#peer?.close();
    this.#offer = sdp;
    await this.answer("telnyx_rtc.attach");
  }

  // What the gateway says about the call.
  async hear(method, params) {
    if (method === "telnyx_rtc.ringing" && this.state === "calling") this.#enter("ringing");
    if (method === "telnyx_rtc.bye") {
      this.refusal = GOOD_ENDS.has(params.cause) ? "" : params.cause;
      this.#end(params.cause);
    }
    if (method === "telnyx_rtc.answer") this.began ??= Date.now(); // also when somebody hangs up before the audio stands
    if (method === "telnyx_rtc.media" || method === "telnyx_rtc.answer") {
      await this.#guard(async () => {
        if (params.sdp && this.#peer?.signalingState === "have-local-offer")
          await this.#peer.setRemoteDescription({ type: "answer", sdp: params.sdp });
        this.#enter(method === "telnyx_rtc.media" ? "early" : "active");
      });
    }
  }

  async hangUp() {
    if (this.over) return;
    const answered = this.began !== null;
    this.#end(answered ? "NORMAL_CLEARING" : "USER_BUSY");
    await this.#ask("telnyx_rtc.bye", { cause: this.cause, causeCode: answered ? 16 : 17 }).catch(() => {});
  }

  async press(keys) {
    await this.#ask("telnyx_rtc.info", { dtmf: keys });
  }

  mute(muted) {
    this.muted = muted;
    this.#listen();
    this.#changed();
  }

  async hold(held) {
    this.holding = true;
    this.#changed();
    try {
      const { holdState } = await this.#ask("telnyx_rtc.modify", { action: held ? "hold" : "unhold" });
      this.held = holdState !== "active";
    } finally {
      this.holding = false;
      this.#listen();
      this.#changed();
    }
  }

  async stats() {
    return this.#peer?.getStats();
  }

  lost() {
    if (this.over) return;
    this.refusal = "the gateway does not know it any more";
    this.#end("NETWORK_OUT_OF_ORDER");
  }

  async #openAudio() {
    this.microphone ??= await navigator.mediaDevices.getUserMedia({ audio: true });
    if (this.over) return this.#release(); // hung up while the browser asked
    this.#peer = new RTCPeerConnection({ iceServers: [] });
    this.#peer.ontrack = ({ track }) => {
      this.remote.getTracks().forEach((old) => this.remote.removeTrack(old));
      this.remote.addTrack(track);
      this.#changed();
    };
    for (const track of this.microphone.getAudioTracks()) this.#peer.addTrack(track, this.microphone);
    this.#listen();
  }

  // The description with its candidates: as soon as all are there, or enough time has passed.
  async #described() {
    const peer = this.#peer;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHERING_LIMIT);
      const look = () => peer.iceGatheringState === "complete" && (clearTimeout(timer), resolve());
      peer.onicegatheringstatechange = look;
      look();
    });
    return peer.localDescription.sdp;
  }

  #ask(method, params) {
    const dialogParams = {
      callID: this.id,
      destination_number: this.number,
      remote_caller_id_name: this.party,
      attach: method === "telnyx_rtc.attach",
      audio: true,
      custom_headers: [],
    };
    return this.#line.request(method, { sessid: this.#session, ...params, dialogParams });
  }

  // Whether anybody hears the microphone.
  #listen() {
    this.microphone?.getAudioTracks().forEach((track) => { track.enabled = !this.muted && !this.held; });
  }

  // A step that fails ends the call; the reason is shown.
  async #guard(step) {
    try {
      await step();
    } catch (error) {
      if (this.over) return; // hung up meanwhile
      await this.hangUp();
      this.dispatchEvent(new CustomEvent("failed", { detail: explain(error) }));
    }
  }

  #enter(state) {
    if (this.over || this.state === state) return;
    this.state = state;
    if (state === "active") this.began ??= Date.now();
    this.#changed();
  }

  #end(cause) {
    if (this.over) return;
    this.cause = cause;
    this.state = "ended";
    this.#release();
    this.#changed();
  }

  #release() {
    this.microphone?.getTracks().forEach((track) => track.stop());
    this.#peer?.close();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function explain(error) {
  if (error.name === "NotAllowedError") return "The browser may not use the microphone: allow it in the address bar.";
  if (error.name === "NotFoundError") return "There is no microphone.";
  return error.message;
}
