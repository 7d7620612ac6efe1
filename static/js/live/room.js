// The live room as the server tells it: who is there, what happens, in order and each once. Pages for doctors and presenters
// and the desk use it alike. Down the page's one WebSocket; by asking every few seconds where no WebSocket gets through.

import { Backoff } from "../player/backoff.js";
import { RequestFailed } from "../player/wire.js";

// So many attempts in which nothing was heard mean that something between here and the server lets no WebSocket through.
const SOCKET_TRIES = 2;
// The server says how many people there are every 15 s at least: a line this silent is dead.
const SILENT_MILLISECONDS = 45000;
const WATCH_MILLISECONDS = 5000;
const BEHIND_MILLISECONDS = 2000;
const FINAL = { 401: "signed_out", 403: "removed", 404: "not_enrolled" };

export class Room extends EventTarget {
  /**
   * Events: `state` (the room as it is: state, schedule, people, may …), `event` ({number, kind, at, data}), `people` (a
   * number), `line` ("socket", "polling", "lost"), `reload` (too far behind: load the page anew), `bye` ({reason}).
   *
   * `number` is that of the last event the page was rendered with. `url` answers polls.
   */
  constructor({ socket, wire, url, number }) {
    super();
    Object.assign(this, { socket, wire, url, number });
    this.line = "";
    this.people = null;
    this.offset = 0;
    this.isWanted = false;
    this.backoff = new Backoff({ base: 2000, most: 30000 });
    socket.enter = () => (this.isWanted ? { t: "room", since: this.number } : null);
    socket.addEventListener("frame", (event) => this.isWanted && this.receive(event.detail));
    socket.addEventListener("lost", (event) => this.isWanted && this.lost(event.detail));
    socket.addEventListener("bye", (event) => this.isWanted && this.bye(event.detail.reason));
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("pageshow", (event) => event.persisted && this.isWanted && socket.reset());
  }

  start() {
    this.isWanted = true;
    this.heardAt = performance.now();
    this.watchdog = setInterval(() => this.watch(), WATCH_MILLISECONDS);
    if (!("WebSocket" in window)) this.poll();
    else if (this.socket.isConnected) this.ask();
    else this.socket.start();
  }

  stop() {
    this.isWanted = false;
    clearInterval(this.watchdog);
    clearTimeout(this.timer);
  }

  /** Milliseconds of the server's clock: a doctor's own may be an hour off. */
  now() {
    return Date.now() + this.offset;
  }

  /** What was missed, and what this person may do now. */
  ask() {
    if (this.socket.isConnected) this.socket.say(this.socket.enter());
    else if (this.line === "polling") this.poll();
  }

  receive(frame) {
    this.heardAt = performance.now();
    if (frame.t === "room_state") this.entered(frame);
    if (frame.t === "event") this.take(frame);
    if (frame.t === "presence") this.count(frame);
    if (frame.t === "reload") this.dispatchEvent(new CustomEvent("reload"));
  }

  entered(frame) {
    clearTimeout(this.timer);
    this.show("socket");
    this.know(frame);
  }

  know(state) {
    this.offset = Date.parse(state.now) - Date.now();
    this.tellPeople(state.people);
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  /** Numbers grow and have gaps; one that is not larger was heard before. */
  take(event) {
    if (event.number <= this.number) return;
    this.number = event.number;
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    if (event.kind === "lanes") this.ask();
  }

  count({ people, number }) {
    this.tellPeople(people);
    if (number <= this.number || performance.now() - (this.askedAt || 0) < BEHIND_MILLISECONDS) return;
    this.askedAt = performance.now();
    this.ask();
  }

  tellPeople(people) {
    if (people === this.people) return;
    this.people = people;
    this.dispatchEvent(new CustomEvent("people", { detail: people }));
  }

  show(line) {
    if (line === this.line) return;
    this.line = line;
    this.dispatchEvent(new CustomEvent("line", { detail: line }));
  }

  watch() {
    if (this.socket.isUp && performance.now() - this.heardAt > SILENT_MILLISECONDS) this.socket.reset();
  }

  lost({ code, tries }) {
    if (code === 4401 || code === 4403) this.bye(code === 4401 ? "signed_out" : "not_enrolled");
    else if (tries >= SOCKET_TRIES && this.line !== "polling") this.poll();
    else if (this.line === "socket") this.show("lost");
  }

  hurry() {
    if (this.isWanted && this.line !== "socket" && this.timer) this.poll();
  }

  /** Until the socket stands again, which goes on trying by itself. */
  async poll() {
    clearTimeout(this.timer);
    if (!this.isWanted || this.isPolling) return;
    this.isPolling = true;
    let wait;
    try {
      const answer = await this.wire.get(`${this.url}?since=${this.number}`);
      this.backoff.reset();
      wait = answer.again * 1000 * (document.hidden ? 4 : 1);
      this.answered(answer);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      wait = 1000 + this.backoff.next();
      this.failed(error.status);
    } finally {
      this.isPolling = false;
    }
    clearTimeout(this.timer);
    if (this.isWanted && this.line !== "socket") this.timer = setTimeout(() => this.poll(), wait);
  }

  answered(answer) {
    if (this.line === "socket") return; // it came back meanwhile, and knows more
    this.show("polling");
    this.know(answer);
    for (const event of answer.events) this.take(event);
    this.number = Math.max(this.number, answer.number);
  }

  failed(status) {
    if (status in FINAL) this.bye(FINAL[status]);
    else if (status === 410) this.dispatchEvent(new CustomEvent("reload"));
    else this.show("lost");
  }

  /** Final, but for a server that restarts. */
  bye(reason) {
    if (reason === "restarting" || !this.isWanted) return;
    this.stop();
    this.socket.stop();
    this.dispatchEvent(new CustomEvent("bye", { detail: { reason } }));
  }
}
