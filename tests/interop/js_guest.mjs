// Telnyx's JavaScript SDK as a guest of an assistant: logs in without an account, calls it, asks it to use a tool, and
// runs the tool. Reports what it says as JSON lines on stdout. Arguments: server URL, id of the assistant.

import { createRequire } from "node:module";

import { installBrowser } from "./browser.mjs";

const [url, targetId] = process.argv.slice(2);
const report = (event, details = {}) => process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);

for (const level of ["log", "info", "warn", "debug", "error", "trace"]) {
  console[level] = (...parts) => process.stderr.write(`${parts.join(" ")}\n`);
}

installBrowser(440);
const { TelnyxRTC } = createRequire(import.meta.url)("@telnyx/webrtc");
const client = new TelnyxRTC({
  host: url,
  anonymous_login: { target_type: "ai_assistant", target_id: targetId, target_params: { conversation_id: "c1" } },
});
let call;

client.on("telnyx.error", ({ error }) => report("error", { message: error?.message, code: error?.code }));
client.on("telnyx.ready", () => {
  report("ready");
  call = client.newCall({ iceServers: [] });
});
client.on("telnyx.notification", ({ type, call: changed }) => {
  if (type === "callUpdate" && changed.state === "active") report("active");
});
client.on("telnyx.ai.conversation", ({ params }) => {
  report(params.type, params);
  if (params.item?.type === "function_call") {
    const output = JSON.stringify({ used: params.item.name, arguments: JSON.parse(params.item.arguments) });
    call.sendAIConversationMessage({ type: "function_call_output", call_id: params.item.call_id, output });
  }
});

// What comes on stdin, line by line, is written to the assistant.
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => call.sendConversationMessage(text.trim(), []));
process.stdin.on("end", async () => {
  await client.disconnect();
  process.exit(0);
});

await client.connect();
