// The room of a live webinar: every event once and in order, by the socket, or by asking where no socket passes.
//
// A page that has a socket of its own (the player's carries beats) hands frames in: `opened(send)`, `receive(frame)`,
// `lost()`, `goodbye(reason)`. A page without one uses `RoomLine` below, which does that.
//
// Events: `state` (detail: the room_state frame), `event` (detail: {number, kind, at, data}), `presence` (detail: {people}),
// `reload` (too much was missed), `bye` (detail: {reason}), `mode` (detail: "socket" | "polling" | "waiting").

import { Line, socketAddress } from "../line.js";
import { Backoff, askedToWait } from "../player/backoff.js";

const POLL_MILLISECONDS = 3000;
const LOST_BEFORE_POLLING = 2;
const TOO_OLD = 410;

export class Room extends EventTarget {
  /** `since`: the number the page was rendered at. `eventsUrl`: where to ask while there is no socket. */
  constructor({ since = 0, eventsUrl = "", backoff = new Backoff(), fetchIt = (...given) => fetch(...given) } = {}) {
    super();
    this.number = since;
    this.eventsUrl = eventsUrl;
    this.backoff = backoff;
    this.fetchIt = fetchIt;
    this.send = null;
    this.losses = 0;
    this.mode = "waiting";
    this.isOver = false;
    this.asked = 0;
  }

  /** The line stands: ask for what was missed. `send(frame)` puts a frame on it. */
  opened(send) {
    if (this.isOver) return;
    this.send = send;
    this.ask();
  }

  ask() {
    this.asked = this.number;
    if (this.send) this.send({ t: "room", since: this.number });
  }

  /** True: the frame was the room's, and is done with. */
  receive(frame) {
    if (this.isOver) return false;
    if (frame.t === "room_state") this.stands(frame);
    else if (frame.t === "event") this.happened(frame);
    else if (frame.t === "presence") this.counted(frame);
    else if (frame.t === "reload") this.finish("reload");
    else return false;
    return true;
  }

  stands(frame) {
    this.losses = 0;
    this.stopPolling();
    this.become("socket");
    this.tell("state", frame);
  }

  /** Twice the same (a replay that overlaps) is once. */
  happened(frame) {
    if (frame.number <= this.number) return;
    this.number = frame.number;
    this.tell("event", frame);
  }

  /** The server says the last number for this audience: who is behind asks, but not twice for the same. */
  counted(frame) {
    this.tell("presence", frame);
    if (frame.number > this.number && this.asked !== this.number) this.ask();
    else this.asked = -1;
  }

  lost() {
    this.send = null;
    if (this.isOver) return;
    this.losses += 1;
    if (this.losses >= LOST_BEFORE_POLLING && this.eventsUrl) this.startPolling();
    else if (this.mode === "socket") this.become("waiting");
  }

  goodbye(reason) {
    if (reason === "restarting") return;
    this.finish("bye", { reason });
  }

  finish(kind, detail = {}) {
    this.isOver = true;
    this.stopPolling();
    this.tell(kind, detail);
  }

  // Polling, while no socket stands

  startPolling() {
    if (this.timer || this.isOver) return;
    this.timer = setTimeout(() => this.poll(), Math.round(POLL_MILLISECONDS * Math.random()));
  }

  stopPolling() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  async poll() {
    let wait = POLL_MILLISECONDS;
    let asked = 0;
    try {
      const response = await this.fetchIt(`${this.eventsUrl}?since=${this.number}`, {
        credentials: "same-origin",
        headers: { Accept: "application/json" },
      });
      if (response.status === TOO_OLD) return this.finish("reload");
      if (response.status === 401) return this.finish("bye", { reason: "signed_out" });
      if (response.status === 403 || response.status === 404) return this.finish("bye", { reason: "removed" });
      asked = askedToWait(response);
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.answered(await response.json());
    } catch (error) {
      wait = Math.max(wait, asked) + this.backoff.next();
    }
    if (this.timer && !this.isOver) this.timer = setTimeout(() => this.poll(), wait);
  }

  answered(answer) {
    if (!this.timer) return;  // a socket was faster
    this.backoff.reset();
    this.become("polling");
    this.tell("state", Object.assign({ t: "room_state" }, answer, { events: undefined }));
    for (const event of answer.events) this.happened(event);
    this.tell("presence", { people: answer.people });
  }

  become(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.tell("mode", mode);
  }

  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

/** What the line brings is the room's, and what the room says goes by the line, while `isWanted()`. */
export function carry(line, room, { refused, isWanted = () => true }) {
  const ends = { 4401: "signed_out", 4403: refused };
  line.addEventListener("open", () => isWanted() && enter(line, room));
  line.addEventListener("frame", ({ detail }) => isWanted() && room.receive(detail));
  line.addEventListener("bye", ({ detail: { reason } }) => isWanted() && room.goodbye(reason));
  line.addEventListener("lost", ({ detail: { code } }) => {
    if (!isWanted()) return;
    if (code in ends) room.goodbye(ends[code]);
    else room.lost();
  });
}

export function enter(line, room) {
  room.opened((frame) => line.isConnected && line.say(frame));
}

/** A socket for the room alone: pages without a player. */
export class RoomLine extends Line {
  constructor({ room, ...given }) {
    super({ talks: true, ...given });
    carry(this, room, { refused: "removed" });
    for (const kind of ["reload", "bye"]) room.addEventListener(kind, () => this.stop());
  }
}

/** A room with a line of its own, for a webinar's number. */
export function enterRoom(webinar, since) {
  const room = new Room({ since, eventsUrl: `/api/v1/webinars/${webinar}/events/` });
  const line = new RoomLine({ url: socketAddress(`/ws/webinars/${webinar}/`), room });
  return { room, line };
}
