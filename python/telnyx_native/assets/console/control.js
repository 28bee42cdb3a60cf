// The gateway's HTTP API: requests, and the stream of what happens.

export class Unauthorized extends Error {}

export class Control extends EventTarget {
  #token;

  constructor(token) {
    super();
    this.#token = token;
  }

  get(path) {
    return this.#ask("GET", path);
  }

  post(path, body) {
    return this.#ask("POST", path, body);
  }

  put(path) {
    return this.#ask("PUT", path);
  }

  delete(path) {
    return this.#ask("DELETE", path);
  }

  // Hands on what happens as events of its kind, and comes back when the stream breaks. EventSource cannot send the
  // token in a header, and in an address it would end up in logs.
  async watch() {
    for (;;) {
      try {
        const response = await this.#fetch("GET", "events");
        this.dispatchEvent(new Event("connected"));
        await this.#read(response.body);
      } catch (error) {
        if (error instanceof Unauthorized) throw error;
      }
      this.dispatchEvent(new Event("disconnected"));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async #read(body) {
    let rest = "";
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const records = (rest + value).split("\n\n");
      rest = records.pop();
      for (const record of records) {
        const [, kind, data] = record.match(/^event: (\w+)\ndata: (.*)$/s) ?? [];
        if (kind) this.dispatchEvent(new CustomEvent(kind, { detail: JSON.parse(data) }));
      }
    }
  }

  async #ask(method, path, body) {
    return (await this.#fetch(method, path, body)).json();
  }

  async #fetch(method, path, body) {
    const response = await fetch(`api/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    if (response.status === 401) throw new Unauthorized("the token is wrong");
    if (!response.ok) throw new Error((await response.json()).error);
    return response;
  }
}
