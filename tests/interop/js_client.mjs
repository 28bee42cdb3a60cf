// Telnyx's JavaScript SDK as a user: logs in, calls `echo`, hangs up, then answers one call and waits for its end.
// Reports what happens as JSON lines on stdout. Arguments: server URL, user, password, Hz of the microphone's tone,
// Hz of the tone that the inbound call brings, and "trickle" for candidates that are sent one by one.

import { createRequire } from "node:module";

import { installBrowser, listen } from "./browser.mjs";

const [url, login, password, spokenHz, heardHz, candidates] = process.argv.slice(2);
const report = (event, details = {}) => process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);

// The SDK logs to the console; stdout is for the report.
for (const level of ["log", "info", "warn", "debug", "error", "trace"]) {
  console[level] = (...parts) => process.stderr.write(`${parts.join(" ")}\n`);
}

installBrowser(Number(spokenHz));
const { TelnyxRTC } = createRequire(import.meta.url)("@telnyx/webrtc"); // not import: its package is CommonJS
const client = new TelnyxRTC({ host: url, login, password });
const states = new Map();
const callOptions = { iceServers: [], trickleIce: candidates === "trickle" };

async function onActive(call) {
  const hz = call.direction === "inbound" ? heardHz : spokenHz;
  const [track] = call.remoteStream.getAudioTracks();
  report("audio", { direction: call.direction, hz: Number(hz), ...(await listen(track, Number(hz))) });
  if (call.direction === "outbound") {
    call.dtmf("5");
    await call.hold();
    report("hold", { state: call.state });
    await call.unhold();
    report("unhold", { state: call.state });
    call.hangup();
  }
}

client.on("telnyx.error", ({ error }) => report("error", { message: error?.message, code: error?.code }));
client.on("telnyx.ready", () => {
  report("ready");
  client.newCall({ destinationNumber: "echo", callerName: "JS", callerNumber: "+15550100", ...callOptions });
});
client.on("telnyx.notification", ({ type, call }) => {
  if (type !== "callUpdate" || states.get(call.id) === call.state) return;
  states.set(call.id, call.state);
  report("state", {
    direction: call.direction ?? "outbound", // a call being made has none yet
    state: call.state,
    cause: call.cause,
    sipCode: call.sipCode,
    from: call.options.remoteCallerNumber,
    headers: call.options.customHeaders,
  });
  if (call.state === "active" && !call.listening) {
    call.listening = true;
    onActive(call).catch((error) => report("error", { message: String(error) }));
  }
  if (call.state === "ringing" && call.direction === "inbound") call.answer(callOptions);
});
process.stdin.on("data", () => {}).on("end", async () => {
  await client.disconnect();
  process.exit(0);
});
client.connect();
