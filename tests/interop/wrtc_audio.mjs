// The parts of a browser that Telnyx's JavaScript SDK needs, on Node: WebRTC from @roamhq/wrtc, sockets from ws.

import wrtc from "@roamhq/wrtc";
import { WebSocket } from "ws";

const RATE = 48_000;
const FRAMES = RATE / 100;

/** A microphone that hears a sine tone. */
function toneTrack(hz) {
  const source = new wrtc.nonstandard.RTCAudioSource();
  let sample = 0;
  const started = process.hrtime.bigint();
  const timer = setInterval(() => {
    const due = Number((process.hrtime.bigint() - started) / 1_000_000n) * (RATE / 1000);
    for (; sample < due; sample += FRAMES) {
      const samples = new Int16Array(FRAMES);
      for (let i = 0; i < FRAMES; i++) {
        samples[i] = 8000 * Math.sin((2 * Math.PI * hz * (sample + i)) / RATE);
      }
      source.onData({ samples, sampleRate: RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: FRAMES });
    }
  }, 10);
  timer.unref();
  return source.createTrack();
}

/** What share of a track's energy lies at `hz`, over `seconds` that begin after `settle` seconds. */
export function listen(track, hz, { settle = 1, seconds = 1 } = {}) {
  return new Promise((resolve) => {
    const sink = new wrtc.nonstandard.RTCAudioSink(track);
    let [heard, energy, sine, cosine] = [0, 0, 0, 0];
    sink.ondata = ({ samples, sampleRate, channelCount }) => {
      for (let i = 0; i < samples.length; i += channelCount, heard++) {
        if (heard < settle * sampleRate) continue;
        const angle = (2 * Math.PI * hz * heard) / sampleRate;
        energy += samples[i] ** 2;
        sine += samples[i] * Math.sin(angle);
        cosine += samples[i] * Math.cos(angle);
      }
      if (heard >= (settle + seconds) * sampleRate) {
        sink.stop();
        const count = seconds * sampleRate;
        resolve({ share: energy ? (2 * (sine ** 2 + cosine ** 2)) / (count * energy) : 0, rms: Math.sqrt(energy / count) });
      }
    };
  });
}

/** Install the globals of a browser whose microphone hears a tone of `hz`. Call it before the SDK is loaded. */
export function installBrowser(hz) {
  const storage = () => {
    const items = new Map();
    return {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => items.set(key, String(value)),
      removeItem: (key) => items.delete(key),
      clear: () => items.clear(),
    };
  };
  const events = { addEventListener() {}, removeEventListener() {}, dispatchEvent: () => true };
  const element = () => ({ ...events, style: {}, play: async () => {}, pause() {}, load() {}, remove() {} });
  class BrowserSocket extends WebSocket {
    constructor(url) {
      // Like a browser: one frame, one task.
      super(url, { allowSynchronousEvents: false });
    }
  }
  const globals = {
    window: globalThis,
    self: globalThis,
    ...events,
    location: { href: "http://127.0.0.1/", protocol: "http:", hostname: "127.0.0.1" },
    document: { ...events, visibilityState: "visible", body: element(), getElementById: () => null, createElement: element },
    navigator: {
      userAgent: "Node",
      onLine: true,
      mediaDevices: {
        ...events,
        getUserMedia: async () => new wrtc.MediaStream([toneTrack(hz)]),
        enumerateDevices: async () => [],
        getSupportedConstraints: () => ({}),
      },
    },
    sessionStorage: storage(),
    localStorage: storage(),
    WebSocket: BrowserSocket,
    RTCPeerConnection: wrtc.RTCPeerConnection,
    RTCSessionDescription: wrtc.RTCSessionDescription,
    RTCIceCandidate: wrtc.RTCIceCandidate,
    RTCRtpReceiver: wrtc.RTCRtpReceiver,
    MediaStream: wrtc.MediaStream,
    MediaStreamTrack: wrtc.MediaStreamTrack,
    HTMLMediaElement: class {},
    Audio: class {
      constructor() {
        Object.assign(this, element());
      }
    },
  };
  // Like a browser: an exception in an event handler is reported, and the page goes on.
  process.on("uncaughtException", (error) => process.stderr.write(`${error.stack?.split("\n").pop()}\n`));
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
