// What a phone gives to Telnyx's React Native SDK and Node does not: its operating system, network, storage, WebRTC and
// sockets. The SDK knows one server, so here is where another takes its place.

import wrtc from "@roamhq/wrtc";
import { EventEmitter } from "node:events";
import { WebSocket } from "ws";

import { toneTrack } from "./tone.mjs";

const { GATEWAY, MICROPHONE_HZ } = process.env;
const TELNYX = /^(wss|https):\/\/rtc\.telnyx\.com(:443)?/;

// react-native
export const Platform = { OS: "android", select: (choices) => choices.android ?? choices.default };

// @react-native-community/netinfo
export const network = new EventEmitter();
const WIFI = { type: "wifi", isConnected: true, isInternetReachable: true };
export const NetInfo = {
  fetch: async () => WIFI,
  addEventListener(listener) {
    network.on("change", listener);
    return () => network.off("change", listener);
  },
};

// @react-native-async-storage/async-storage
const stored = new Map();
export const AsyncStorage = {
  getItem: async (key) => stored.get(key) ?? null,
  setItem: async (key, value) => void stored.set(key, value),
  removeItem: async (key) => void stored.delete(key),
};

// react-native-webrtc
export const { MediaStream, RTCPeerConnection, RTCSessionDescription, RTCIceCandidate } = wrtc;
export const mediaDevices = { getUserMedia: async () => new wrtc.MediaStream([toneTrack(Number(MICROPHONE_HZ))]) };

// react-native-websocket-self-signed
export class Socket {
  static latest = null;
  #address;
  #socket = null;
  #listeners = {};

  static getInstance(address) {
    return (Socket.latest = new Socket(address.replace(TELNYX, GATEWAY)));
  }

  constructor(address) {
    this.#address = address;
  }

  async connect() {
    // Like a phone: one frame, one task.
    this.#socket = new WebSocket(this.#address, { allowSynchronousEvents: false });
    this.#socket.on("open", () => this.#listeners.open?.());
    this.#socket.on("message", (data) => this.#listeners.message?.(data.toString()));
    this.#socket.on("error", (error) => this.#listeners.error?.(error.message));
    this.#socket.on("close", () => this.#listeners.close?.());
  }

  send(text) {
    this.#socket.send(text);
  }

  close() {
    this.#socket?.close();
  }

  onOpen(listener) { this.#listeners.open = listener; }
  onMessage(listener) { this.#listeners.message = listener; }
  onError(listener) { this.#listeners.error = listener; }
  onClose(listener) { this.#listeners.close = listener; }
  removeOnOpenListener() { delete this.#listeners.open; }
  removeOnMessageListener() { delete this.#listeners.message; }
  removeOnErrorListener() { delete this.#listeners.error; }
  removeOnCloseListener() { delete this.#listeners.close; }
}

const { fetch } = globalThis;
globalThis.fetch = (address, options) => fetch(String(address).replace(TELNYX, GATEWAY.replace(/^ws/, "http")), options);
