// Makes one file of phone.mjs and the SDK, which is TypeScript and imports modules that only a phone has.
// Argument: the file to write.

import { build } from "esbuild";

const STAND_INS = new URL("stand_ins.mjs", import.meta.url).pathname;
const PHONE_ONLY = {
  "react-native": `export { Platform } from ${JSON.stringify(STAND_INS)};`,
  "@react-native-community/netinfo": `export { NetInfo as default } from ${JSON.stringify(STAND_INS)};`,
  "@react-native-async-storage/async-storage": `export { AsyncStorage as default } from ${JSON.stringify(STAND_INS)};`,
  "react-native-webrtc": `export * from ${JSON.stringify(STAND_INS)};`,
  "react-native-websocket-self-signed": `export { Socket as default } from ${JSON.stringify(STAND_INS)};`,
  rxjs: "export const from = undefined;", // imported, and not used
};

await build({
  entryPoints: [new URL("phone.mjs", import.meta.url).pathname],
  outfile: process.argv[2],
  bundle: true,
  platform: "node",
  format: "esm",
  external: ["@roamhq/wrtc", "ws"],
  define: { __DEV__: "false", global: "globalThis" },
  logLevel: "error",
  plugins: [
    {
      name: "stand-ins",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^[^.]/ }, ({ path }) => (path in PHONE_ONLY ? { path, namespace: "phone" } : undefined));
        onLoad({ filter: /.*/, namespace: "phone" }, ({ path }) => ({ contents: PHONE_ONLY[path], resolveDir: "/" }));
      },
    },
  ],
});
