// The live line to the server: one WebSocket for the whole page, opened again with full jitter after every loss.
// Knows frames, neither beats nor rooms: what it says first is told to it by `hello` (the player) and `enter` (the room).

import { Backoff } from "./backoff.js";

const WELCOME_MILLISECONDS = 8000;
// A retry after the server has said "restarting" still has to spread thousands of players over some seconds.
const STABLE_MILLISECONDS = 20000;

export class Socket extends EventTarget {
  /**
   * Events: `welcome`, `frame` (detail: the frame), `lost` (detail: {code, tries} since anything was heard), `bye`.
   * `isUp`: something was heard on this line. `isOpen`: the play session is welcome, beats may go.
   */
  constructor({ url, hello = () => null, backoff = new Backoff() }) {
    super();
    this.url = url;
    this.hello = hello;
    this.enter = () => null;
    this.backoff = backoff;
    this.line = null;
    this.isUp = false;
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
    this.expect();
    line.onopen = () => this.say(this.hello(), this.enter());
    line.onmessage = (event) => line === this.line && this.receive(event.data);
    line.onclose = (event) => line === this.line && this.lost(event.code);
  }

  /** Whoever is greeted answers; a line on which nothing comes back is cut. */
  expect() {
    const { line } = this;
    clearTimeout(this.welcomeTimer);
    this.welcomeTimer = setTimeout(() => line === this.line && this.lost(), WELCOME_MILLISECONDS);
  }

  say(...frames) {
    for (const frame of frames) if (frame) this.line.send(JSON.stringify(frame));
  }

  get isConnected() {
    return this.line !== null && this.line.readyState === WebSocket.OPEN;
  }

  /** Another play session on the same line. Before the line stands there is nothing to do: it begins with a greeting. */
  greet() {
    this.isOpen = false;
    if (!this.isConnected) return;
    this.expect();
    this.say(this.hello());
  }

  receive(text) {
    const frame = JSON.parse(text);
    this.heard(frame.t);
    if (frame.t === "welcome") this.isOpen = true;
    const name = frame.t === "welcome" || frame.t === "bye" ? frame.t : "frame";
    this.dispatchEvent(new CustomEvent(name, { detail: frame }));
  }

  heard(kind) {
    const isGreeted = this.hello() === null ? kind === "room_state" : kind === "welcome" || kind === "refused";
    if (isGreeted) clearTimeout(this.welcomeTimer);
    if (this.isUp) return;
    this.isUp = true;
    this.tries = 0;
    this.stable = setTimeout(() => this.backoff.reset(), STABLE_MILLISECONDS);
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.say(frame);
    return true;
  }

  drop() {
    const line = this.line;
    this.line = null;
    this.isUp = false;
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
