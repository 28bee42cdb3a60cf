// Telnyx's React Native SDK, unmodified, driven over stdin and stdout: a line of JSON for each command, and for each answer
// and each thing that happens. `GATEWAY` and `MICROPHONE_HZ` come from the environment.

import { createInterface } from "node:readline";

import { TelnyxRTC } from "@telnyx/react-native-voice-sdk";

import { network } from "./stand_ins.mjs";
import { loudest } from "./tone.mjs";

const write = process.stdout.write.bind(process.stdout);
const tell = (message) => write(`${JSON.stringify(message)}\n`);
for (const level of ["log", "info", "warn", "debug", "error", "trace"]) console[level] = () => {};
// As in an app: what one handler throws is reported, and the app goes on.
process.on("uncaughtException", (error) => tell({ event: "exception", what: String(error) }));
process.on("unhandledRejection", (error) => tell({ event: "exception", what: String(error) }));

let client;
const calls = new Map();

function keep(call) {
  calls.set(call.callId, call);
  return call.callId;
}

function create(options) {
  client = new TelnyxRTC({ logLevel: "silent", ...options });
  client.on("telnyx.client.ready", () => tell({ event: "ready" }));
  client.on("telnyx.client.error", (error) => tell({ event: "error", what: String(error) }));
  client.on("telnyx.call.incoming", (call, { params }) =>
    tell({ event: "incoming", id: keep(call), from: params.caller_id_number, name: params.caller_id_name, headers: call.inviteCustomHeaders }),
  );
  client.on("telnyx.call.reattached", (call) => tell({ event: "reattached", id: keep(call) }));
  client.on("telnyx.media.received", () => tell({ event: "media" }));
  client.on("telnyx.call.stateChanged", (call, state) => tell({ event: "state", id: call.callId, state }));
}

const commands = {
  async logIn(options) {
    create(options);
    await client.connect();
  },
  // What an app does that a push notification has woken.
  async wake(options, metadata) {
    create(options);
    client.processVoIPNotification({ metadata });
    await client.connect();
  },
  async call(destinationNumber, options = {}) {
    const peerConnectionOptions = { iceServers: [], ...options.peerConnectionOptions };
    return keep(await client.newCall({ destinationNumber, ...options, peerConnectionOptions }));
  },
  // Any method of a call, by name.
  async on(id, method, ...parameters) {
    await calls.get(id)[method](...parameters);
    return calls.get(id).state;
  },
  async heard(id, choices) {
    const [track] = calls.get(id).remoteStream?.getAudioTracks() ?? [];
    return track ? loudest(track, choices) : 0;
  },
  disablePush: () => client.disablePushNotification(),
  // What the phone's network does.
  network: (state) => void network.emit("change", state),
  leave: () => client.disconnect(),
};

tell({ event: "started" });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](...parameters))
    .then((result) => tell({ id, result: result ?? null }))
    .catch((error) => tell({ id, error: String(error) }));
}
process.exit(0);
