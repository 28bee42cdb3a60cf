// A WebSocket to the gateway that speaks JSON-RPC as Telnyx's clients do.

const REQUEST_LIMIT = 10_000; // ms

export class Line extends EventTarget {
  #socket;
  #pending = new Map();
  #requests = 0;

  // Connects; resolves when the socket is open.
  static open(address) {
    const line = new Line();
    return new Promise((resolve, reject) => {
      const socket = (line.#socket = new WebSocket(address));
      socket.onopen = () => resolve(line);
      socket.onmessage = ({ data }) => line.#take(data);
      socket.onclose = () => {
        reject(new Error("the gateway cannot be reached"));
        for (const { reject: fail } of line.#pending.values()) fail(new Error("the connection to the gateway is lost"));
        line.#pending.clear();
        line.dispatchEvent(new Event("closed"));
      };
    });
  }

  // Sends a request; resolves with its result.
  request(method, params) {
    const id = `console-${++this.#requests}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`the gateway does not answer ${method}`));
      }, REQUEST_LIMIT);
      const settle = (act) => (value) => { clearTimeout(timer); act(value); };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#send({ jsonrpc: "2.0", id, method, params });
    });
  }

  close() {
    this.#socket.close();
  }

  #send(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #take(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return; // a malformed frame is survived
    }
    if (!frame || typeof frame !== "object") return;
    if (typeof frame.method === "string") {
      if (frame.id != null) this.#send({ jsonrpc: "2.0", id: frame.id, result: { method: frame.method } });
      this.dispatchEvent(new CustomEvent("request", { detail: frame }));
      return;
    }
    const waiting = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    if (frame.error) waiting?.reject(new Error(frame.error.message));
    else waiting?.resolve(frame.result);
  }
}
