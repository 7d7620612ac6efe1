// A WebSocket that is opened again with full jitter after every loss, and cut when the server goes silent on it. Knows that
// frames are JSON with a `t`; what they say is for those who listen.

import { Backoff } from "./player/backoff.js";

const WELCOME_MILLISECONDS = 8000;
// A retry after the server has said "restarting" still has to spread thousands of pages over some seconds.
const STABLE_MILLISECONDS = 20000;
const SILENT_MILLISECONDS = 40000; // in a room the server says something every 15 s: a line without a word for longer is dead

export class Line extends EventTarget {
  /**
   * Events: `open`, `frame` (detail: the frame), `bye` (detail: the frame), `lost` (detail: {code, tries} since anything
   * was heard). `isUp`: something was heard on this line. `talks`: the server says something every 15 s by itself.
   */
  constructor({ url, talks = false, backoff = new Backoff(), open = (address) => new WebSocket(address) }) {
    super();
    Object.assign(this, { url, talks, backoff, open });
    this.line = null;
    this.isUp = false;
    this.isGreeted = false;
    this.isWanted = false;
    this.tries = 0;
    this.online = () => this.hurry();
  }

  start() {
    if (this.isWanted) return;
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

  get isConnected() {
    return this.line !== null && this.line.readyState === WebSocket.OPEN;
  }

  say(...frames) {
    for (const frame of frames) if (frame) this.line.send(JSON.stringify(frame));
  }

  connect() {
    let line;
    try {
      line = this.open(this.url);
    } catch (error) {
      this.lost();
      return;
    }
    this.line = line;
    this.expect();
    const mine = (work) => (event) => line === this.line && work(event);
    line.onopen = mine(() => this.tell("open"));
    line.onmessage = mine((event) => this.receive(JSON.parse(event.data)));
    line.onclose = mine((event) => this.lost(event.code));
  }

  /** Whoever is greeted answers; a line on which nothing comes back is cut. */
  expect() {
    this.isGreeted = false;
    this.wait(WELCOME_MILLISECONDS);
  }

  wait(milliseconds) {
    const { line } = this;
    clearTimeout(this.silence);
    if (milliseconds) this.silence = setTimeout(() => line === this.line && this.lost(), milliseconds);
  }

  receive(frame) {
    this.isGreeted = this.isGreeted || this.isGreeting(frame.t);
    if (this.isGreeted) this.wait(this.talks ? SILENT_MILLISECONDS : 0);
    if (!this.isUp) {
      this.isUp = true;
      this.tries = 0;
      this.stable = setTimeout(() => this.backoff.reset(), STABLE_MILLISECONDS);
    }
    this.tell(this.nameOf(frame.t), frame);
  }

  isGreeting() {
    return true;
  }

  nameOf(kind) {
    return kind === "bye" ? kind : "frame";
  }

  drop() {
    const { line } = this;
    this.line = null;
    this.isUp = false;
    clearTimeout(this.silence);
    clearTimeout(this.stable);
    if (!line) return;
    line.onopen = line.onmessage = line.onclose = null;
    line.close();
  }

  lost(code = 0) {
    this.drop();
    if (!this.isWanted) return;
    this.tries += 1;
    this.tell("lost", { code, tries: this.tries });
    if (!this.isWanted) return;
    this.retry = setTimeout(() => this.connect(), this.backoff.next());
  }

  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

export function socketAddress(path) {
  return `${window.location.protocol === "https:" ? "wss:" : "ws:"}//${window.location.host}${path}`;
}
