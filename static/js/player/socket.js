// The live line to the server: one WebSocket, opened again with full jitter after every loss. Knows frames, not beats.

import { Backoff } from "./backoff.js";

const WELCOME_MILLISECONDS = 8000;
// A retry after the server has said "restarting" still has to spread thousands of players over some seconds.
const STABLE_MILLISECONDS = 20000;

export class Socket extends EventTarget {
  /** Events: `welcome`, `frame` (detail: the frame), `lost` (detail: {tries} since the last welcome), `bye`. */
  constructor({ url, hello, backoff = new Backoff() }) {
    super();
    this.url = url;
    this.hello = hello;
    this.backoff = backoff;
    this.line = null;
    this.isOpen = false;
    this.isWanted = false;
    this.tries = 0;
    this.online = () => this.hurry();
  }

  start() {
    if (this.isWanted || !("WebSocket" in window)) return;
    this.isWanted = true;
    window.addEventListener("online", this.online);
    this.connect();
  }

  stop() {
    this.isWanted = false;
    window.removeEventListener("online", this.online);
    clearTimeout(this.retry);
    this.drop();
  }

  /** The network is back: no reason to wait for the timer. */
  hurry() {
    if (!this.isWanted || this.line) return;
    clearTimeout(this.retry);
    this.connect();
  }

  /** A line on which the server went silent is worse than none. */
  reset() {
    if (this.line) this.lost();
  }

  connect() {
    let line;
    try {
      line = new WebSocket(this.url);
    } catch (error) {
      this.lost();
      return;
    }
    this.line = line;
    this.welcomeTimer = setTimeout(() => line === this.line && this.lost(), WELCOME_MILLISECONDS);
    line.onopen = () => line.send(JSON.stringify(this.hello()));
    line.onmessage = (event) => line === this.line && this.receive(event.data);
    line.onclose = (event) => line === this.line && this.lost(event.code);
  }

  receive(text) {
    const frame = JSON.parse(text);
    if (frame.t === "welcome") {
      clearTimeout(this.welcomeTimer);
      this.isOpen = true;
      this.tries = 0;
      this.stable = setTimeout(() => this.backoff.reset(), STABLE_MILLISECONDS);
      this.dispatchEvent(new CustomEvent("welcome", { detail: frame }));
    } else if (frame.t === "bye") {
      this.dispatchEvent(new CustomEvent("bye", { detail: frame }));
    } else {
      this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    }
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.line.send(JSON.stringify(frame));
    return true;
  }

  drop() {
    const line = this.line;
    this.line = null;
    this.isOpen = false;
    clearTimeout(this.welcomeTimer);
    clearTimeout(this.stable);
    if (line) {
      line.onopen = line.onmessage = line.onclose = null;
      line.close();
    }
  }

  lost(code = 0) {
    this.drop();
    if (!this.isWanted) return;
    this.tries += 1;
    this.dispatchEvent(new CustomEvent("lost", { detail: { code, tries: this.tries } }));
    if (!this.isWanted) return;
    this.retry = setTimeout(() => this.connect(), this.backoff.next());
  }
}
