// The player while a webinar is on air: no end, no speeds, a window of a minute to go back in, and a button to the present.

import { Player } from "./player.js";
import { Progress } from "./progress.js";
import { fromSpans, seconds, union } from "./ranges.js";
import { clock, duration, say } from "./words.js";

// After a pause this long what stands there is the past: playing goes on in the present.
const STALE_MILLISECONDS = 20000;

export class LivePlayer extends Player {
  get duration() {
    const [start, end] = this.source.window;
    return Math.max(1, end - start);
  }

  get position() {
    return Math.max(0, this.video.currentTime - this.source.window[0]);
  }

  play() {
    const isStale = this.isStarted && this.pausedAt && performance.now() - this.pausedAt > STALE_MILLISECONDS;
    if (isStale) this.source.toEdge();
    super.play();
  }

  pause() {
    this.pausedAt = performance.now();
    super.pause();
  }

  toEdge() {
    this.dispatchEvent(new CustomEvent("beforeseek"));
    this.source.toEdge();
    if (this.video.paused) super.play();
  }

  /** `at`: in seconds from the beginning of what can be played. */
  seek(at) {
    if (!this.isStarted) {
      this.begin(0);
      return;
    }
    this.dispatchEvent(new CustomEvent("beforeseek"));
    const [start] = this.source.window;
    this.video.currentTime = Math.min(this.source.edge, start + Math.max(0, at));
  }

  setRate() {
    this.video.defaultPlaybackRate = this.video.playbackRate = 1;
  }

  stepRate() {}

  showTime() {
    const { edge, now } = this.parts;
    const isLive = !this.isStarted || this.source.isAtEdge;
    edge.setAttribute("aria-pressed", String(isLive));
    now.textContent = isLive ? "" : `−${clock(this.source.behind)}`;
    this.dispatchEvent(new CustomEvent("time", { detail: this.position }));
  }
}

/** The seek bar over the window that can be played. */
export class LiveBar {
  constructor({ player, parts }) {
    Object.assign(this, { player, parts });
    this.isDragging = false;
    const { range } = parts;
    range.addEventListener("input", () => { this.isDragging = true; });
    range.addEventListener("change", () => {
      this.isDragging = false;
      player.seek(Number(range.value));
    });
    range.addEventListener("keydown", (event) => this.key(event));
    parts.track.setAttribute("viewBox", "0 0 1000 10");
    player.addEventListener("time", () => this.show());
    this.show();
  }

  show() {
    const { parts: { range, track }, player } = this;
    const length = player.duration;
    range.max = String(Math.round(length));
    if (!this.isDragging) range.value = String(Math.round(player.position));
    const { source } = player;
    range.setAttribute("aria-valuetext", source.isAtEdge ? say("at-edge") : say("behind", { time: clock(source.behind) }));
    const played = track.querySelector("[data-part=track-buffered]");
    played.setAttribute("y", "0");
    played.setAttribute("height", "10");
    played.setAttribute("width", String(Math.min(1000, (player.position / length) * 1000)));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -20, PageUp: 20 };
    if (event.key in steps) this.player.nudge(steps[event.key]);
    else if (event.key === "Home") this.player.seek(0);
    else if (event.key === "End") this.player.toEdge();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** How much was watched live and whether it is saved. How long it will be nobody knows yet, so there is no bar. */
export class LiveProgress extends Progress {
  add(spans) {
    const merged = union(this.coverage, fromSpans(spans));
    if (JSON.stringify(merged) === JSON.stringify(this.coverage)) return;
    this.coverage = merged;
    this.show();
  }

  get next() {
    return null;
  }

  completed() {
    this.isDone = true;
  }

  show() {
    const { parts } = this;
    parts["seen-text"].textContent = say("live-figures", { seen: duration(seconds(this.coverage)) });
    parts["saved-text"].textContent = this.savedText;
    parts["saved-text"].classList.toggle("is-waiting", this.state === "waiting" || !this.isCounting || Boolean(this.remark));
  }
}
