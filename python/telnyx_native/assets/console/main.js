// The console: asks for the token if the address has none, then shows what goes on.

import { Calls } from "./calls.js";
import { Control, Unauthorized } from "./control.js";
import { $ } from "./dom.js";
import { Messages } from "./messages.js";
import { Scenarios } from "./scenarios.js";
import { Softphone } from "./softphone.js";
import { Users } from "./users.js";

const KEY = "telnyx-native gateway token";

// The token comes behind the "#", which the browser sends nowhere; it is kept for this tab, out of sight.
function tokenOfAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY);
}

function askForToken(why) {
  sessionStorage.removeItem(KEY);
  $("gate").hidden = false;
  $("console").hidden = true;
  show(why, false);
  $("gate").token.focus();
}

function show(text, good) {
  $("link").textContent = text;
  $("link").classList.toggle("good", good);
  $("link").classList.toggle("bad", !good);
}

async function open(token) {
  const control = new Control(token);
  try {
    const [status, users] = await Promise.all([control.get("status"), control.get("users")]);
    $("console").hidden = false;
    const softphone = new Softphone(control);
    softphone.offer(users, status.destinations);
    new Users(control, (name) => softphone.dial(name), (all) => softphone.suggest(all));
    new Scenarios(control);
    new Calls(control);
    new Messages(control);
    control.addEventListener("connected", () => show("connected", true));
    control.addEventListener("disconnected", () => show("the gateway is gone", false));
    await control.watch();
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    askForToken("the token is wrong");
  }
}

$("address").textContent = $("server").textContent = `${location.protocol.replace("http", "ws")}//${location.host}`;
$("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $("gate").token.value.trim());
  location.reload();
});
const token = tokenOfAddress();
if (token) open(token);
else askForToken("no token");
