// What was seen and whether it is saved, in figures and words under the bar, and now and then for screen readers.

import { fromSpans, nextUnseen, seconds, union, unseenParts } from "./ranges.js";
import { duration, durationLeft, say } from "./words.js";

// A screen reader is told at most this often while nothing but the figures changes.
const QUIET_MILLISECONDS = 60000;
const JUST_NOW_MILLISECONDS = 15000;
const REMARK_MILLISECONDS = 12000;
// The player mends these by itself: a new play session begins, and the doctor has nothing to do.
const MENDED = ["session_ended", "unknown_session"];

export class Progress {
  constructor({ player, beats, timeline, parts, coverage, length, required, isDone }) {
    Object.assign(this, { player, beats, timeline, parts, length, required, isDone });
    this.coverage = coverage;
    this.state = "saved";
    this.savedAt = 0;
    this.spokenAt = performance.now();
    this.isCounting = true;
    beats.addEventListener("saved", (event) => this.saved(event.detail));
    beats.addEventListener("state", (event) => this.changed(event.detail));
    beats.addEventListener("refused", (event) => this.refused(event.detail));
    beats.addEventListener("leftover", (event) => this.add(event.detail.spans));
    player.video.addEventListener("timeupdate", () => this.add(beats.collector.spans));
    setInterval(() => this.show(), 5000);
    this.show();
  }

  add(spans) {
    const merged = union(this.coverage, fromSpans(spans)).map(([start, end]) => [start, Math.min(end, this.length)]);
    if (JSON.stringify(merged) === JSON.stringify(this.coverage)) return;
    this.coverage = merged;
    this.show();
    // The moment that completes the lecture is worth a beat of its own: the good news does not wait for the next one.
    if (!this.isDone && !this.hasAsked && seconds(merged) > this.required) {
      this.hasAsked = true;
      this.beats.flush();
    }
  }

  saved({ seen, done }) {
    this.savedAt = Date.now();
    if (done && !this.isDone) this.completed();
    if (typeof seen === "number") this.credited = seen;
    this.show();
  }

  refused({ reason, detail }) {
    if (MENDED.includes(reason) || !detail) return;
    this.remark = detail;
    clearTimeout(this.remarkTimer);
    this.remarkTimer = setTimeout(() => { this.remark = ""; this.show(); }, REMARK_MILLISECONDS);
    this.show();
    this.speak(detail);
  }

  completed() {
    this.isDone = true;
    this.parts.done.hidden = false;
    this.speak(say("done"));
  }

  changed(state) {
    const wasWaiting = this.state === "waiting";
    this.state = state;
    this.show();
    if (state === "waiting" || (wasWaiting && state === "saved")) this.speak(this.savedText);
  }

  /** After a removed name mark the doctor must not believe that the minutes count. */
  stopCounting() {
    this.isCounting = false;
    this.show();
  }

  get unseen() {
    return seconds(unseenParts(this.coverage, this.length));
  }

  get next() {
    return nextUnseen(this.coverage, this.length, this.player.position);
  }

  get savedText() {
    if (!this.isCounting) return say("not-counted");
    if (this.remark) return this.remark;
    if (this.state === "waiting") return say(this.beats.outbox.isDurable ? "waiting" : "waiting-memory");
    if (this.state === "saving") return say(this.savedAt ? "saved" : "saving");
    if (!this.savedAt) return "";
    return say(Date.now() - this.savedAt < JUST_NOW_MILLISECONDS ? "saved-now" : "saved");
  }

  show() {
    const { parts } = this;
    const { unseen } = this;
    const figures = say("figures", { seen: duration(seconds(this.coverage)) });
    const rest = unseen ? say("still", { unseen: durationLeft(unseen) }) : say("all-seen");
    parts["seen-text"].textContent = figures;
    parts["rest-text"].textContent = rest;
    parts["saved-text"].textContent = this.savedText;
    parts["saved-text"].classList.toggle("is-waiting", this.state === "waiting" || !this.isCounting || Boolean(this.remark));
    parts.skip.hidden = this.next === null;
    this.timeline.show(this.coverage);
    if (performance.now() - this.spokenAt > QUIET_MILLISECONDS && !this.player.video.paused) this.speak(`${figures}, ${rest}`);
  }

  speak(text) {
    this.spokenAt = performance.now();
    this.parts["progress-live"].textContent = text;
  }
}
