// How well it plays: start-up, waiting, bitrate, errors, parts played again. Told to the server now and then, for figures only.
// It listens and never touches: whatever goes wrong here, the player does not notice.

import { fromSpans, normalise, union } from "./ranges.js";
import { SpanCollector } from "./spans.js";

// With trouble every minute, so that somebody can help; without any some thousands of viewers need not ask every minute.
const TROUBLED_MILLISECONDS = 60000;
const CALM_MILLISECONDS = 240000;
// Nobody opens the page in the same moment, but a live webinar begins in one.
const SPREAD_MILLISECONDS = 30000;
const LOOK_MILLISECONDS = 5000;
// A timer of a tab in the background runs once a minute; a laptop that slept has not played.
const LONGEST_STEP = 70000;
const MOST_SPANS = 50;
const MOST_WAITING = 10;
const SAME_MILLISECONDS = 1000;

const whole = (number) => Math.max(0, Math.round(number));

/** What this browser says about the line, in the server's words. Firefox and Safari say nothing. */
export function networkOf(connection) {
  if (!connection) return "unknown";
  const kinds = { wifi: "wifi", ethernet: "wired" };
  if (kinds[connection.type]) return kinds[connection.type];
  return ["4g", "3g", "2g", "slow-2g"].includes(connection.effectiveType) ? connection.effectiveType : "unknown";
}

/** The part of `left` that is also in `right`. */
export function both(left, right) {
  const found = [];
  for (const [start, end] of left) {
    for (const [from, to] of right) found.push([Math.max(start, from), Math.min(end, to)]);
  }
  return normalise(found);
}

/** What was played again. Of one go through the picture nothing is known as seen until it is over, by a jump or for good. */
export class Replays {
  constructor(seen) {
    this.seen = normalise(seen);
    this.run = [];
    this.found = [];
  }

  /** `spans` as SpanCollector gives them; a go continues where the one before ended. */
  add(spans) {
    for (const [start, end] of spans) {
      const last = this.run[this.run.length - 1];
      if (last && Math.abs(last[1] - start) > 1) this.close();
      const seconds = fromSpans([[start, end]]);
      this.found = union(this.found, both(seconds, this.seen));
      this.run.push([start, end]);
    }
  }

  close() {
    this.seen = union(this.seen, fromSpans(this.run));
    this.run = [];
  }

  take() {
    const found = this.found.slice(0, MOST_SPANS);
    this.found = [];
    return found;
  }
}

/** Sums since the last report. Pure: samples of the element and of a clock in, a report out. */
export class Tally {
  constructor(seen = []) {
    this.replays = new Replays(seen);
    this.collector = new SpanCollector();
    this.tappedAt = null;
    this.stalledAt = null;
    this.hasBegun = false;
    this.last = null;
    this.clear();
  }

  clear() {
    Object.assign(this, { start: null, play: 0, stall: 0, stalls: 0, kbits: 0, errors: 0, error: "" });
  }

  get isTroubled() {
    return this.stalls > 0 || this.errors > 0 || this.stalledAt !== null || (this.start !== null && this.start > 8000);
  }

  get isEmpty() {
    return this.start === null && !this.play && !this.stall && !this.stalls && !this.errors;
  }

  tapped(now) {
    if (this.tappedAt === null && !this.hasBegun) this.tappedAt = now;
  }

  /** Before the first picture: the next tap begins anew. */
  gaveUp() {
    this.tappedAt = null;
  }

  /** The picture moves: the first time, or again after it waited. */
  playing(now) {
    if (!this.hasBegun && this.tappedAt !== null) this.start = Math.min(600000, whole(now - this.tappedAt));
    this.hasBegun = true;
    this.tappedAt = null;
    this.endStall(now);
  }

  /** Only what interrupts is a stall: not the beginning, and not where the doctor jumped. */
  waiting(now, { seeking, paused }) {
    if (!this.hasBegun || seeking || paused || this.stalledAt !== null) return;
    this.stalls += 1;
    this.stalledAt = now;
  }

  endStall(now) {
    if (this.stalledAt !== null) this.stall += Math.min(LONGEST_STEP, now - this.stalledAt);
    this.stalledAt = null;
  }

  /** `seconds` of what plays, or null while that is not known; `kbit` a second of the picture, 0 if not known. */
  sample({ now, seconds, rate, playing, kbit }) {
    const { last } = this;
    this.last = { now, playing };
    if (last && last.playing && this.stalledAt === null) {
      const step = Math.min(LONGEST_STEP, Math.max(0, now - last.now));
      this.play += step;
      this.kbits += (kbit * step) / 1000;
    }
    if (seconds === null) this.collector.cut();
    else this.collector.sample({ time: seconds, now, rate, playing });
  }

  /** A jump: what was played up to here is over, and seen. */
  cut() {
    this.collector.cut();
    this.replays.add(this.collector.take());
    this.replays.close();
    this.last = null;
  }

  failed(kind) {
    this.errors += 1;
    this.error = kind;
  }

  /** A stall that goes on is told as far as it has gone. */
  take(now) {
    if (this.stalledAt !== null) {
      this.stall += Math.min(LONGEST_STEP, now - this.stalledAt);
      this.stalledAt = now;
    }
    this.replays.add(this.collector.take());
    const report = {
      start_ms: this.start,
      play_ms: whole(this.play),
      stall_ms: whole(this.stall),
      stalls: this.stalls,
      kbits: whole(this.kbits),
      errors: Math.min(1000, this.errors),
      error_kind: this.error,
      replayed: this.replays.take(),
    };
    this.clear();
    return report;
  }
}

export class Reports {
  constructor({ player, source, session, wire, url, seen }) {
    Object.assign(this, { player, source, session, wire, url });
    this.video = player.video;
    this.tally = new Tally(seen);
    this.n = 0;
    this.waiting = [];
    this.isOver = false;
    this.leftAt = -Infinity;
    this.listen();
  }

  listen() {
    const { video, player, source, session, tally } = this;
    const now = () => performance.now();
    const on = (target, names, work) => {
      for (const name of names.split(" ")) target.addEventListener(name, (event) => this.isOver || this.quietly(work, event));
    };
    on(player, "start", () => this.begin());
    on(video, "play", () => tally.tapped(now()));
    on(player, "beforeseek", () => { this.sample(); tally.cut(); });
    on(video, "playing", () => { tally.playing(now()); this.sample(); });
    on(video, "waiting", () => { this.sample(); tally.waiting(now(), video); });
    on(video, "timeupdate ratechange", () => this.sample());
    on(video, "seeking emptied", () => { tally.endStall(now()); tally.cut(); });
    on(video, "pause ended", () => { tally.endStall(now()); this.sample(); source.isSwitching || tally.gaveUp(); });
    on(source, "stalled", () => tally.failed("network"));
    on(source, "failed", ({ detail: { reason } }) => tally.failed(reason === "refused" ? "refused" : "broken"));
    on(session, "opened", () => { this.n = 0; });
    on(document, "visibilitychange", () => document.hidden && this.leave());
    on(window, "pagehide", () => this.leave());
  }

  quietly(work, ...given) {
    try {
      return work(...given);
    } catch (error) {
      console.info("How well it plays is not told:", error && error.message);
      return undefined;
    }
  }

  sample() {
    const { video, source } = this;
    const playing = !video.paused && !video.ended && !video.seeking && video.readyState > 2;
    const seconds = video.seeking ? null : source.seconds;
    this.tally.sample({ now: performance.now(), seconds, rate: video.playbackRate, playing, kbit: source.kbit });
  }

  begin() {
    this.toldAt = performance.now();
    this.spread = Math.random() * SPREAD_MILLISECONDS;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.quietly(() => this.look()), LOOK_MILLISECONDS);
  }

  /** The first report comes after a minute: how it began. */
  look() {
    const passed = performance.now() - this.toldAt - this.spread;
    const isDue = passed > (this.tally.isTroubled || !this.hasTold ? TROUBLED_MILLISECONDS : CALM_MILLISECONDS);
    if (!isDue || !this.session.id) return;
    this.sample();
    this.cut();
    this.tell();
  }

  /** Makes a report of what was added up. Without a session it goes on adding up. */
  cut() {
    this.toldAt = performance.now();
    if (!this.session.id || this.tally.isEmpty) return;
    this.n += 1;
    this.hasTold = true;
    const report = Object.assign({ number: this.n, network: networkOf(navigator.connection) }, this.tally.take(performance.now()));
    this.waiting.push({ session: this.session.id, report });
    this.waiting = this.waiting.slice(-MOST_WAITING);
  }

  /** The reports of one play session; those of an earlier one first. */
  get next() {
    const [first] = this.waiting;
    return first ? this.waiting.filter(({ session }) => session === first.session) : [];
  }

  bodyOf(rows) {
    return { session: rows[0].session, reports: rows.map(({ report }) => report) };
  }

  /** What was not taken goes with the next report; what the server does not want at all is let go. */
  async tell() {
    const rows = this.next;
    if (!rows.length || this.isTelling) return;
    this.isTelling = true;
    try {
      await this.wire.post(this.url, this.bodyOf(rows));
      this.drop(rows);
    } catch (error) {
      if ([400, 401, 403, 404, 413].includes(error.status)) this.drop(rows);
    } finally {
      this.isTelling = false;
    }
  }

  drop(rows) {
    this.waiting = this.waiting.filter((row) => !rows.includes(row));
  }

  /** The page may never run again, and says so by two events. What is told twice counts once. */
  leave() {
    this.sample();
    const told = this.n;
    if (performance.now() - this.leftAt > SAME_MILLISECONDS) this.cut();
    if (this.n !== told) this.leftAt = performance.now();
    const rows = this.next;
    if (rows.length && this.wire.beacon(this.url, this.bodyOf(rows))) this.drop(rows);
  }

  /** The picture goes from the page. */
  finish() {
    this.quietly(() => this.leave());
    this.isOver = true;
    clearInterval(this.timer);
  }
}
