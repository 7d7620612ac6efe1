// The time that is left. It was told by the server, which alone decides; here it is only shown, and said aloud seldom.

const SAID_AT = [600, 300, 120, 60]; // seconds
const SOON = 60;

export class Clock {
  /** `left` in seconds at this moment. `say(seconds)` at a few milestones, `over()` once. */
  constructor({ left, show, say, over, now = () => performance.now() }) {
    this.ends = now() + left * 1000;
    this.now = now;
    this.show = show;
    this.say = say;
    this.over = over;
    this.last = left;
    this.timer = setInterval(() => this.tick(), 500);
    this.tick();
  }

  tick() {
    const left = Math.max(0, Math.ceil((this.ends - this.now()) / 1000));
    this.show(words(left), left <= SOON);
    const passed = SAID_AT.filter((one) => this.last > one && left <= one && left > 0);
    if (passed.length) this.say(Math.min(...passed));
    this.last = left;
    if (left === 0) {
      clearInterval(this.timer);
      this.over();
    }
  }

  stop() {
    clearInterval(this.timer);
  }
}

export function words(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
