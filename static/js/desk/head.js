// The top of the desk: how the webinar stands, how many are here, the stream, the line, and going live, ending, cancelling.

import { clock, put, Refused, say } from "./page.js";

const LOOK_MILLISECONDS = 10000;
const COMING = new Set(["scheduled", "doors_open"]);
const SHOWN_IN = { "go-live": COMING, end: new Set(["live"]), cancel: COMING };
const LINE_TONE = { socket: "good", polling: "warn", waiting: "bad", over: "bad" };

export class Clock {
  /** The server's: dates are compared with it, not with whatever this computer believes. */
  constructor(iso) {
    this.set(iso);
  }

  set(iso) {
    this.ahead = Date.parse(iso) - Date.now();
  }

  now() {
    return Date.now() + this.ahead;
  }
}

export class Head extends EventTarget {
  /** Event `changed`: the webinar's state was changed from here. */
  constructor({ root, part, requests, address, toast, clock: serverClock, overview }) {
    super();
    Object.assign(this, { part, requests, address, toast, clock: serverClock });
    this.moves = [...root.querySelectorAll("[data-state-move]")];
    for (const form of root.querySelectorAll("[data-state-form]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.change(form);
      });
    }
    this.show(overview);
    setInterval(() => this.look(), LOOK_MILLISECONDS);
  }

  show(status) {
    this.status = status;
    put(this.part.state, say(`webinar-${status.state}`));
    this.part.state.dataset.state = status.state;
    for (const move of this.moves) {
      move.hidden = !SHOWN_IN[move.dataset.stateMove].has(status.state);
      if (move.hidden) move.open = false;
    }
    this.people(status.people);
    if (status.stream) {
      put(this.part.stream, status.stream.text);
      this.part.stream.dataset.tone = status.stream.tone;
    }
    if (status.door) this.door(status.door);
    this.tick();
  }

  people(number) {
    put(this.part.people, say("people-here", { n: number }));
  }

  door(figures) {
    put(this.part.door, say("door-figures", figures));
    put(this.part["door-pending"], figures.pending || "");
    this.part.door.closest("details").hidden = false;
  }

  line(name) {
    put(this.part.line, say(`line-${name}`));
    this.part.line.dataset.tone = LINE_TONE[name];
  }

  tick() {
    const { state, schedule } = this.status;
    const since = (iso) => (this.clock.now() - Date.parse(iso)) / 1000;
    let text = "";
    if (COMING.has(state) && schedule.starts_at) {
      const late = since(schedule.starts_at);
      text = late > 0 ? say("late-by", { time: clock(late) }) : say("starts-in", { time: clock(-late) });
    } else if (state === "live") {
      const over = since(schedule.planned_end_at);
      const plan = over > 0 ? say("time-over", { time: clock(over) }) : say("time-left", { time: clock(-over) });
      text = `${say("running", { time: clock(since(schedule.live_at)) })} · ${plan}`;
    } else if (schedule.live_at && schedule.ended_at) {
      text = say("was-live", { time: clock((Date.parse(schedule.ended_at) - Date.parse(schedule.live_at)) / 1000) });
    }
    put(this.part.time, text);
  }

  /** What no event tells. A page nobody looks at does not ask. */
  async look() {
    if (document.hidden) return;
    try {
      this.show(await this.requests.send("GET", this.address));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused; // the line says when there is no connection
    }
  }

  async change(form) {
    const body = new URLSearchParams(new FormData(form));
    try {
      this.show(await this.requests.send("POST", form.action, body));
      this.dispatchEvent(new CustomEvent("changed"));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }
}
