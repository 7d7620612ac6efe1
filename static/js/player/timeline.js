// The two bars: the seek slider in the player with its previews, and the coverage bar under it. Both show what was seen.

import { normalise, seconds, unseenParts } from "./ranges.js";
import { clock, duration, durationLeft, say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** One `<rect class="seen">` for each seen part; those already there (the server draws the first ones) are reused. */
export function drawSeen(drawing, ranges, length) {
  const parts = normalise(ranges).filter(([start]) => start < length);
  const rects = Array.from(drawing.querySelectorAll(".seen"));
  while (rects.length > parts.length) rects.pop().remove();
  parts.forEach(([start, end], index) => {
    let rect = rects[index];
    if (!rect) {
      rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", "seen");
      rect.setAttribute("height", "10");
      drawing.appendChild(rect);
    }
    rect.setAttribute("x", String(start));
    rect.setAttribute("width", String(Math.min(end, length) - start));
  });
}

export class Timeline {
  constructor({ player, parts, bar, sprite }) {
    Object.assign(this, { player, parts, bar, sprite });
    this.length = player.length;
    this.ranges = [];
    this.isDragging = false;
    this.listenToRange();
    if (bar) this.listenToBar();
    player.addEventListener("time", (event) => this.moveTo(event.detail));
  }

  /** `ranges` in whole seconds of this video. */
  show(ranges) {
    this.ranges = ranges;
    drawSeen(this.parts["track-seen"], ranges, this.length);
    if (!this.bar) return;
    drawSeen(this.bar.querySelector("svg"), ranges, this.length);
    this.describe(this.player.position);
  }

  moveTo(at) {
    if (!this.isDragging) this.parts.range.value = String(Math.floor(at));
    this.parts.range.setAttribute("aria-valuetext", say("position", { time: clock(at), total: clock(this.length) }));
    this.showBuffered();
    if (!this.bar) return;
    const cursor = this.bar.querySelector("[data-part=coverage-cursor]");
    cursor.style.setProperty("left", `${Math.min(100, (at / this.length) * 100)}%`);
    this.describe(at);
  }

  describe(at) {
    const seen = seconds(this.ranges);
    const unseen = seconds(unseenParts(this.ranges, this.length));
    this.bar.setAttribute("aria-valuenow", String(Math.floor(at)));
    const values = { time: clock(at), total: clock(this.length), seen: duration(seen), unseen: durationLeft(unseen) };
    this.bar.setAttribute("aria-valuetext", say("coverage", values));
  }

  showBuffered() {
    const { buffered, currentTime } = this.player.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= currentTime && currentTime <= buffered.end(index)) {
        this.parts["track-buffered"].setAttribute("x", String(buffered.start(index)));
        this.parts["track-buffered"].setAttribute("width", String(buffered.end(index) - buffered.start(index)));
      }
    }
  }

  listenToRange() {
    const { range, seek } = this.parts;
    range.addEventListener("input", () => {
      this.isDragging = true;
      this.parts.now.textContent = clock(Number(range.value));
      this.preview(Number(range.value));
    });
    range.addEventListener("change", () => {
      this.isDragging = false;
      this.parts.preview.hidden = true;
      this.player.seek(Number(range.value));
    });
    range.addEventListener("keydown", (event) => this.key(event));
    seek.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.preview(this.at(event, range)));
    seek.addEventListener("pointerleave", () => { this.parts.preview.hidden = true; });
  }

  /** Without a script the bar is a picture; here it becomes a control. */
  listenToBar() {
    const { bar } = this;
    const attributes = { role: "slider", tabindex: 0, "aria-label": bar.dataset.label, "aria-valuemin": 0, "aria-valuemax": this.length };
    for (const [name, value] of Object.entries(attributes)) bar.setAttribute(name, String(value));
    bar.querySelector("svg").setAttribute("aria-hidden", "true");
    bar.querySelector("[data-part=coverage-cursor]").hidden = false;
    bar.addEventListener("click", (event) => {
      const isFirst = !this.player.isStarted;
      this.player.seek(this.at(event, bar));
      if (isFirst) this.player.play();
      bar.focus({ preventScroll: true });
    });
    bar.addEventListener("keydown", (event) => this.key(event));
  }

  /** Left is earlier in every language: a video's timeline is not text. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -60, PageUp: 60 };
    if (event.key in steps) this.player.nudge(steps[event.key]);
    else if (event.key === "Home") this.player.seek(0);
    else if (event.key === "End") this.player.seek(this.length);
    else if (event.key === "Enter") this.player.play();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  at(event, element) {
    const box = element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.length;
  }

  preview(at) {
    const { preview, seek } = this.parts;
    preview.hidden = false;
    this.parts["preview-time"].textContent = clock(at);
    if (this.sprite) this.sprite.show(this.parts["preview-picture"], at);
    const room = seek.clientWidth - preview.offsetWidth;
    const x = Math.min(room, Math.max(0, (at / this.length) * seek.clientWidth - preview.offsetWidth / 2));
    preview.style.setProperty("left", `${x}px`);
  }
}
