// What happens in a live room, for pages that play nothing: one WebSocket, or polling where none passes.
//
// Every event is told once and in order, whatever the line does: the only thing remembered is the number of the last one.
// `docs/protocol.md` describes the frames. All writing goes by HTTP and is none of this file's business.

import { Backoff } from "../player/backoff.js";

const ANSWER_MILLISECONDS = 8000;
// The server says something every 15 s; a line that is silent for longer is dead, though no browser says so.
const SILENT_MILLISECONDS = 40000;
const STABLE_MILLISECONDS = 20000;
const TRIES_BEFORE_POLLING = 3;
const SOCKET_AGAIN_MILLISECONDS = 60000;
const OVER = { 4401: "signed_out", 4403: "not_enrolled" };
const STOPPING = new Set(["signed_out", "device_ended", "not_enrolled", "removed"]);

export class Room extends EventTarget {
  /**
   * Events: `state` (detail: number, state, schedule, now, people, part, may), `event` (number, kind, at, data), `presence`
   * ({people}), `line` ("live", "polling" or "lost"), `reload` (too much was missed: read everything again, then
   * `restart(number)`), `bye` ({reason}; nothing follows).
   */
  constructor({ socketUrl, eventsUrl, since = 0, backoff = new Backoff() }) {
    super();
    this.socketUrl = socketUrl;
    this.eventsUrl = eventsUrl;
    this.number = since;
    this.backoff = backoff;
    this.socket = null;
    this.line = "";
    this.isWanted = false;
    this.isPolling = false;
    this.tries = 0;
    this.online = () => this.hurry();
  }

  start() {
    if (this.isWanted) return;
    this.isWanted = true;
    window.addEventListener("online", this.online);
    if ("WebSocket" in window) this.connect();
    else this.startPolling();
  }

  stop() {
    this.isWanted = false;
    this.isPolling = false;
    window.removeEventListener("online", this.online);
    clearTimeout(this.retry);
    clearTimeout(this.pollTimer);
    this.drop();
  }

  /** After `reload`: the page shows the room as it was at this number. */
  restart(number) {
    this.stop();
    this.number = number;
    this.start();
  }

  /** Asks what one may do, and for whatever was missed. */
  refresh() {
    if (this.socket && this.line === "live") this.enter();
  }

  hurry() {
    if (!this.isWanted || this.socket) return;
    clearTimeout(this.retry);
    this.connect();
  }

  connect() {
    let socket;
    try {
      socket = new WebSocket(this.socketUrl);
    } catch (error) {
      this.lost(0);
      return;
    }
    this.socket = socket;
    this.expect(ANSWER_MILLISECONDS);
    socket.onopen = () => this.enter();
    socket.onmessage = (event) => socket === this.socket && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  enter() {
    this.socket.send(JSON.stringify({ t: "room", since: this.number }));
  }

  expect(milliseconds) {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.silence = setTimeout(() => socket === this.socket && this.lost(0), milliseconds);
  }

  receive(frame) {
    this.expect(SILENT_MILLISECONDS);
    if (frame.t === "event") this.tell(frame);
    else if (frame.t === "room_state") this.entered(frame);
    else if (frame.t === "presence") {
      this.dispatch("presence", frame);
      if (frame.number > this.number) this.enter();
    } else if (frame.t === "reload") this.tooOld();
    else if (frame.t === "bye") this.sent(frame.reason);
  }

  entered(frame) {
    this.tries = 0;
    this.isPolling = false;
    clearTimeout(this.pollTimer);
    clearTimeout(this.stable);
    this.stable = setTimeout(() => this.backoff.reset(), STABLE_MILLISECONDS);
    this.show("live");
    this.dispatch("state", frame);
  }

  tell(frame) {
    if (frame.number <= this.number) return;
    this.number = frame.number;
    this.dispatch("event", frame);
  }

  tooOld() {
    this.stop();
    this.dispatch("reload", null);
  }

  /** The server's last word. "restarting" is none: the close that follows brings us back. */
  sent(reason) {
    if (!STOPPING.has(reason) || !this.isWanted) return;
    this.stop();
    this.dispatch("bye", { reason });
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.silence);
    clearTimeout(this.stable);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  lost(code) {
    this.drop();
    if (!this.isWanted) return;
    if (OVER[code]) {
      this.sent(OVER[code]);
      return;
    }
    this.tries += 1;
    if (this.tries >= TRIES_BEFORE_POLLING) this.startPolling();
    else this.show("lost");
    const wait = this.isPolling ? SOCKET_AGAIN_MILLISECONDS : this.backoff.next();
    this.retry = setTimeout(() => this.connect(), wait);
  }

  startPolling() {
    if (this.isPolling) return;
    this.isPolling = true;
    this.poll();
  }

  async poll() {
    const answer = await this.ask();
    if (!this.isPolling) return;
    if (answer.status === 410) this.tooOld();
    else if (answer.status === 401 || answer.status === 404) this.sent("signed_out");
    else if (answer.status === 403) this.sent("removed");
    else if (answer.room) this.polled(answer.room);
    else {
      this.show("lost");
      this.pollTimer = setTimeout(() => this.poll(), 2000 + this.backoff.next());
    }
  }

  async ask() {
    try {
      const response = await fetch(`${this.eventsUrl}?since=${this.number}`, {
        credentials: "same-origin",
        headers: { Accept: "application/json" },
      });
      return { status: response.status, room: response.ok ? await response.json() : null };
    } catch (error) {
      return { status: 0, room: null }; // the network, or a proxy's page instead of ours
    }
  }

  polled(room) {
    this.show("polling");
    this.dispatch("state", room);
    for (const frame of room.events) this.tell(frame);
    this.number = Math.max(this.number, room.number);
    this.pollTimer = setTimeout(() => this.poll(), room.again * 1000);
  }

  show(line) {
    if (line === this.line) return;
    this.line = line;
    this.dispatch("line", line);
  }

  dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export function socketAddress(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}
