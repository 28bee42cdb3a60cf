// Telnyx's JavaScript SDK with a login token; reports on stdout whether it gets in. Arguments: server URL, token.

import { createRequire } from "node:module";

import { installBrowser } from "./browser.mjs";

const [url, login_token] = process.argv.slice(2);
const report = (event, details = {}) => process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);

for (const level of ["log", "info", "warn", "debug", "error", "trace"]) {
  console[level] = (...parts) => process.stderr.write(`${parts.join(" ")}\n`);
}

installBrowser(440);
const { TelnyxRTC } = createRequire(import.meta.url)("@telnyx/webrtc");
const client = new TelnyxRTC({ host: url, login_token });
client.on("telnyx.error", ({ error }) => report("error", { code: error?.code }));
client.on("telnyx.ready", () => report("ready"));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
await client.connect();
