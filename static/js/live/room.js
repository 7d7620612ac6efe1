// What happens in a live room, for every page that follows one: down the page's one WebSocket, by polling where none passes.
//
// Every event is told once and in order, whatever the line does: the only thing remembered is the number of the last one.
// `docs/protocol.md` describes the frames. All writing goes by HTTP and is none of this file's business.

import { Backoff } from "../player/backoff.js";
import { Socket } from "../player/socket.js";
import { RequestFailed, Wire } from "../player/wire.js";

// So many attempts in which nothing was heard mean that something between here and the server lets no WebSocket through.
const SOCKET_TRIES = 2;
// The server says how many people there are every 15 s at least: a line this silent is dead.
const SILENT_MILLISECONDS = 45000;
const WATCH_MILLISECONDS = 5000;
const BEHIND_MILLISECONDS = 2000;
const FINAL = { 401: "signed_out", 403: "removed", 404: "not_enrolled" };

export class Room extends EventTarget {
  /**
   * Events: `state` (detail: number, state, schedule, now, people, part, may), `event` (number, kind, at, data), `presence`
   * ({people}), `line` ("live", "polling" or "lost"), `reload` (too much was missed: read everything again, then
   * `restart(number)`), `bye` ({reason}; nothing follows).
   *
   * `socket`: the player's, on a page that has one; else the room opens its own.
   */
  constructor({ socketUrl, eventsUrl, since = 0, socket = null, wire = new Wire({ csrf: "" }) }) {
    super();
    Object.assign(this, { wire, url: eventsUrl, number: since });
    this.isOwner = socket === null;
    this.socket = socket || new Socket({ url: socketUrl });
    this.follow(this.socket);
    this.line = "";
    this.offset = 0;
    this.isWanted = false;
    this.backoff = new Backoff({ base: 2000, most: 30000 });
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("pageshow", (event) => event.persisted && this.isWanted && this.socket.reset());
  }

  follow(socket) {
    socket.enter = () => (this.isWanted ? { t: "room", since: this.number } : null);
    socket.addEventListener("frame", (event) => this.isWanted && this.receive(event.detail));
    socket.addEventListener("lost", (event) => this.isWanted && this.lost(event.detail));
    socket.addEventListener("bye", (event) => this.isWanted && this.bye(event.detail.reason));
  }

  start() {
    if (this.isWanted) return;
    this.isWanted = true;
    this.heardAt = performance.now();
    this.watchdog = setInterval(() => this.watch(), WATCH_MILLISECONDS);
    if (!("WebSocket" in window)) this.poll();
    else if (this.socket.isConnected) this.refresh();
    else this.socket.start();
  }

  stop() {
    this.isWanted = false;
    clearInterval(this.watchdog);
    clearTimeout(this.timer);
    if (this.isOwner) this.socket.stop();
  }

  /** After `reload`: the page shows the room as it was at this number. */
  restart(number) {
    this.stop();
    this.number = number;
    this.line = "";
    this.start();
  }

  /** Milliseconds of the server's clock: a doctor's own may be an hour off. */
  now() {
    return Date.now() + this.offset;
  }

  /** What was missed, and what this person may do now. */
  refresh() {
    if (this.socket.isConnected) this.socket.say(this.socket.enter());
    else if (this.line === "polling") this.poll();
  }

  receive(frame) {
    this.heardAt = performance.now();
    if (frame.t === "room_state") this.entered(frame);
    if (frame.t === "event") this.take(frame);
    if (frame.t === "presence") this.count(frame);
    if (frame.t === "reload") this.tooOld();
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  tooOld() {
    this.stop();
    this.tell("reload", null);
  }

  entered(frame) {
    clearTimeout(this.timer);
    this.show("live");
    this.know(frame);
  }

  know(state) {
    this.offset = Date.parse(state.now) - Date.now();
    this.tell("state", state);
    this.tell("presence", { people: state.people });
  }

  /** Numbers grow and have gaps; one that is not larger was heard before. */
  take(event) {
    if (event.number <= this.number) return;
    this.number = event.number;
    this.tell("event", event);
    if (event.kind === "lanes") this.refresh();
  }

  count({ people, number }) {
    this.tell("presence", { people });
    if (number <= this.number || performance.now() - (this.askedAt || 0) < BEHIND_MILLISECONDS) return;
    this.askedAt = performance.now();
    this.refresh();
  }

  show(line) {
    if (line === this.line) return;
    this.line = line;
    this.tell("line", line);
  }

  watch() {
    if (this.socket.isUp && performance.now() - this.heardAt > SILENT_MILLISECONDS) this.socket.reset();
  }

  lost({ code, tries }) {
    if (code === 4401 || code === 4403) this.bye(code === 4401 ? "signed_out" : "not_enrolled");
    else {
      if (this.line === "live") this.show("lost");
      if (tries >= SOCKET_TRIES && this.line !== "polling") this.poll();
    }
  }

  hurry() {
    if (this.isWanted && this.line !== "live" && this.timer) this.poll();
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
    if (this.isWanted && this.line !== "live") this.timer = setTimeout(() => this.poll(), wait);
  }

  answered(answer) {
    if (this.line === "live") return; // it came back meanwhile, and knows more
    this.show("polling");
    this.know(answer);
    for (const event of answer.events) this.take(event);
    this.number = Math.max(this.number, answer.number);
  }

  failed(status) {
    if (status in FINAL) this.bye(FINAL[status]);
    else if (status === 410) this.tooOld();
    else this.show("lost");
  }

  /** Final, but for a server that restarts. */
  bye(reason) {
    if (reason === "restarting" || !this.isWanted) return;
    this.stop();
    this.socket.stop();
    this.tell("bye", { reason });
  }
}
