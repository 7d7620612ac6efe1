// What was really played, as spans of media seconds. Pure: knows neither the element nor the clock, only samples of both.

// A timer may fire late and a clock may tick coarsely; more than this beyond wall time × rate was a jump, not playing.
const TOLERANCE_SECONDS = 0.75;
const TOLERANCE_SHARE = 1.05;
// Two samples this close are the same moment: contiguous playing stays one span.
const SAME = 0.002;

const rounded = (seconds) => Math.round(seconds * 1000) / 1000;

export class SpanCollector {
  constructor() {
    this.spans = [];
    this.last = null;
  }

  /**
   * The state of the element at one moment: `time` in media seconds, `now` in milliseconds of a monotonic clock.
   * Credits the way from the previous sample only if the element was playing then and cannot have jumped since.
   */
  sample({ time, now, rate, playing }) {
    const last = this.last;
    this.last = { time, now, rate, playing };
    if (!last || !last.playing || !(time > last.time)) return;
    const possible = ((now - last.now) / 1000) * last.rate * TOLERANCE_SHARE + TOLERANCE_SECONDS;
    if (time - last.time <= possible) this.add(last.time, time);
  }

  /** A seek, a tampered watermark: nothing between the last sample and the next one counts. */
  cut() {
    this.last = null;
  }

  add(start, end) {
    const open = this.spans[this.spans.length - 1];
    if (open && Math.abs(open[1] - start) < SAME) open[1] = end;
    else this.spans.push([start, end]);
  }

  get seconds() {
    return this.spans.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Hands over what was collected; the next span continues at the very moment this one ended. */
  take() {
    const spans = this.spans.map(([start, end]) => [rounded(start), rounded(end)]).filter(([start, end]) => end > start);
    this.spans = [];
    return spans;
  }
}
