// The doctor's name over the picture. A deterrent, not a lock: whoever takes it away watches without being credited.

const MOVE_MILLISECONDS = 15000;
const CHECK_MILLISECONDS = 1000;
// Somebody who removes it this often does it on purpose; reloading the page starts afresh.
const MOST_REMOVALS = 5;
const LEAST_OPACITY = 0.2;

export class Watermark extends EventTarget {
  /** Events: `removed`, `restored`, `abused`. The mark and the video share `stage`, which is what goes full screen. */
  constructor({ stage, mark, random = Math.random }) {
    super();
    Object.assign(this, { stage, mark, random });
    this.name = mark.textContent.trim();
    this.copy = mark.cloneNode(true);
    this.removals = 0;
    this.isMissing = false;
    this.observer = new MutationObserver(() => this.check());
    this.write();
    this.move();
    this.observe();
    this.timers = [setInterval(() => this.move(), MOVE_MILLISECONDS), setInterval(() => this.check(), CHECK_MILLISECONDS)];
    window.addEventListener("resize", () => this.move());
    document.addEventListener("fullscreenchange", () => this.move());
  }

  /** The whole picture goes. */
  stop() {
    this.observer.disconnect();
    this.timers.forEach(clearInterval);
    this.check = this.move = () => {};
  }

  observe() {
    this.observer.observe(this.stage, { childList: true });
    this.observer.observe(this.mark, { attributes: true, childList: true, characterData: true, subtree: true });
  }

  /** Own changes must not look like somebody else's. */
  quietly(change) {
    this.observer.disconnect();
    change();
    this.observe();
  }

  write() {
    const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    this.text = `${this.name} · ${time.format(new Date())}`;
    this.mark.textContent = this.text;
  }

  move() {
    this.quietly(() => {
      this.write();
      const room = { x: this.stage.clientWidth - this.mark.offsetWidth, y: this.stage.clientHeight - this.mark.offsetHeight };
      const x = Math.round(Math.max(0, room.x) * (0.04 + 0.92 * this.random()));
      // The lowest part belongs to the controls and the captions.
      const y = Math.round(Math.max(0, room.y) * (0.06 + 0.64 * this.random()));
      this.mark.style.setProperty("transform", `translate(${x}px, ${y}px)`);
    });
  }

  get isVisible() {
    const { mark, stage } = this;
    if (mark.parentNode !== stage || mark.textContent !== this.text) return false;
    const style = getComputedStyle(mark);
    if (style.display === "none" || style.visibility !== "visible" || Number(style.opacity) < LEAST_OPACITY) return false;
    if (style.color === "transparent" || parseFloat(style.fontSize) < 8 || style.clipPath !== "none") return false;
    const box = mark.getBoundingClientRect();
    const frame = stage.getBoundingClientRect();
    const isInside = box.right > frame.left && box.left < frame.right && box.bottom > frame.top && box.top < frame.bottom;
    return box.width > 20 && box.height > 6 && isInside;
  }

  check() {
    if (this.isVisible) {
      if (this.isMissing) this.back();
      return;
    }
    // A player of no size (a tab in the background, a page still laying out) shows no picture either.
    if (!this.stage.clientWidth) return;
    if (!this.isMissing) {
      this.isMissing = true;
      this.removals += 1;
      this.dispatchEvent(new CustomEvent("removed"));
      if (this.removals >= MOST_REMOVALS) this.dispatchEvent(new CustomEvent("abused"));
    }
    this.restore();
  }

  restore() {
    const fresh = this.copy.cloneNode(true);
    this.quietly(() => {
      if (this.mark.parentNode) this.mark.remove();
      this.mark = fresh;
      this.stage.appendChild(fresh);
    });
    this.move();
    if (this.isVisible) this.back();
  }

  back() {
    this.isMissing = false;
    this.dispatchEvent(new CustomEvent("restored"));
  }
}
