// From played seconds to credited seconds: cuts beats, keeps them until the server has them, says what is saved.

import { SpanCollector } from "./spans.js";
import { RequestFailed } from "./wire.js";
import { Backoff } from "./backoff.js";

const BEAT_MILLISECONDS = 10000;
const ACK_MILLISECONDS = 12000;
// So many attempts without a welcome mean that something between here and the server does not let WebSockets through.
const SOCKET_TRIES = 2;
const MOST_PER_REQUEST = 100;
// A socket may send some 100 frames a minute; what an hour offline has collected goes by request, many at once.
const MOST_BY_SOCKET = 20;
// The server reads up to 50 in a beat; only somebody who seeks for minutes before the first answer comes near.
const MOST_SPANS = 40;

export class Beats extends EventTarget {
  /** Events: `saved` ({seen, done}), `state` ("saved", "saving", "waiting"), `refused` ({reason, detail}), `bye` ({reason}). */
  constructor({ video, source, session, outbox, socket, wire, urls, webinar, position, phase = "on_demand" }) {
    super();
    Object.assign(this, { video, source, session, outbox, socket, wire, urls, webinar, phase });
    this.isFinished = false;
    this.collector = new SpanCollector();
    this.n = 0;
    this.confirmed = position;
    this.reported = position;
    this.lastCut = performance.now();
    this.sent = new Map();
    this.state = "saved";
    this.isSuspended = false;
    this.isOver = false;
    this.backoff = new Backoff({ base: 2000, most: 60000 });
    this.listen();
  }

  listen() {
    const video = this.video;
    const on = (name, handler) => video.addEventListener(name, handler);
    on("timeupdate", () => this.tick());
    on("playing", () => this.sample());
    on("ratechange", () => this.sample());
    on("waiting", () => this.sample());
    on("pause", () => this.flush());
    on("ended", () => this.flush());
    on("seeking", () => this.collector.cut());
    on("seeked", () => { this.sample(); this.settle(); });
    on("emptied", () => this.collector.cut());
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("pageshow", (event) => event.persisted && this.comeBack());
    window.addEventListener("online", () => this.deliver());
    this.session.addEventListener("opened", () => this.begin());
    const hear = (name, handler) => this.socket.addEventListener(name, (event) => this.isFinished || handler(event.detail));
    hear("welcome", (frame) => { this.resend(); this.saved(frame); });
    hear("frame", (frame) => this.receive(frame));
    hear("lost", (detail) => this.lost(detail));
    hear("bye", ({ reason }) => this.bye(reason));
  }

  begin() {
    this.n = 0;
    this.sent.clear();
    this.isOver = false;
    if (this.socket.isWanted) this.socket.greet();
    else this.socket.start();
    clearInterval(this.watchdog);
    this.watchdog = setInterval(() => this.watch(), 2000);
  }

  /** Before our own controls move the position: what was played up to this moment still counts. */
  beforeSeek() {
    this.sample();
    this.collector.cut();
  }

  /** While the watermark is not in its place nothing counts. */
  suspend() {
    this.collector.cut();
    this.isSuspended = true;
  }

  resume() {
    this.isSuspended = false;
    this.collector.cut();
  }

  sample() {
    const { video, source: { seconds } } = this;
    if (video.seeking || seconds === null || this.isSuspended || this.isOver) {
      this.collector.cut();
      return;
    }
    this.collector.sample({
      time: seconds,
      now: performance.now(),
      rate: video.playbackRate,
      playing: !video.paused && !video.ended && video.readyState > 2,
    });
  }

  tick() {
    this.sample();
    if (performance.now() - this.lastCut >= BEAT_MILLISECONDS && this.collector.seconds > 0) this.cut();
  }

  /** After a seek: a jump alone is worth a beat, so that another device continues there; not one per pixel of a drag. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.flush(), 600);
  }

  /** The source's: while a stream is being attached again, the element itself stands at 0. */
  get position() {
    return Math.round(this.source.position * 1000) / 1000;
  }

  get hasNews() {
    return this.collector.spans.length > 0 || Math.abs(this.position - this.reported) > 0.25;
  }

  flush() {
    this.sample();
    if (this.session.id && this.source.isLoaded && this.hasNews) this.cut();
  }

  /** Makes a beat of what was collected. Without a session yet the spans stay where they are. */
  cut() {
    if (!this.session.id || this.isOver) return;
    this.lastCut = performance.now();
    this.reported = this.position;
    const spans = this.collector.take();
    do {
      this.n += 1;
      const beat = { n: this.n, s: spans.splice(0, MOST_SPANS), p: this.reported };
      this.outbox.add(Object.assign({ webinar: this.webinar, session: this.session.id, phase: this.phase, base: this.confirmed }, beat));
    } while (spans.length);
    this.deliver();
  }

  get waiting() {
    return this.session.id ? this.outbox.waiting(this.session.id) : [];
  }

  /** Sends over the socket what it has not carried yet; by request where sockets do not get through. */
  deliver() {
    const waiting = this.waiting;
    if (!waiting.length) {
      this.tell("saved");
      return;
    }
    const unsent = waiting.filter((row) => !this.sent.has(row.n));
    const isOpen = this.socket.isOpen && !this.isFinished;
    if (isOpen && unsent.length <= MOST_BY_SOCKET) {
      for (const beat of unsent) {
        this.socket.send({ t: "beat", n: beat.n, s: beat.s, p: beat.p });
        this.sent.set(beat.n, performance.now());
      }
      this.tell("saving");
    } else if (this.isFinished || isOpen || this.socket.tries >= SOCKET_TRIES || !("WebSocket" in window)) {
      this.request();
    } else {
      this.tell(navigator.onLine === false ? "waiting" : "saving");
    }
  }

  resend() {
    this.sent.clear();
    this.deliver();
  }

  /** A socket that takes beats and never acknowledges is dead, whatever it says about itself. */
  watch() {
    const oldest = Math.min(...Array.from(this.sent.values()));
    if (this.socket.isOpen && performance.now() - oldest > ACK_MILLISECONDS) this.socket.reset();
  }

  lost({ code }) {
    this.sent.clear();
    if (code === 4401) this.bye("signed_out");
    else if (this.waiting.length) this.deliver();
  }

  async request() {
    if (this.requesting) return;
    const session = this.session.id;
    const beats = this.waiting.slice(0, MOST_PER_REQUEST);
    this.requesting = true;
    clearTimeout(this.retry);
    try {
      const answer = await this.wire.post(this.urlsOf(this.webinar).beats, { session, beats: beats.map(({ n, s, p }) => ({ n, s, p })) });
      this.backoff.reset();
      this.requesting = false;
      this.acknowledge(session, answer.acked, answer);
      for (const refusal of answer.refused) this.refuse(session, [refusal.n], refusal);
      if (this.waiting.length) this.deliver();
    } catch (error) {
      this.requesting = false;
      if (!(error instanceof RequestFailed)) throw error;
      if (error.status === 401) this.bye("signed_out");
      else this.tryLater(error.after);
    }
  }

  tryLater(least = 0) {
    this.tell("waiting");
    this.retry = setTimeout(() => this.deliver(), 1000 + this.backoff.next(least));
  }

  receive(frame) {
    if (frame.t === "retry") setTimeout(() => this.sendAgain(frame.n), frame.after * 1000);
    if (frame.t === "ack") this.acknowledge(this.session.id, frame.n, frame);
    if (frame.t === "refused") this.refuse(this.session.id, frame.n || [], frame);
  }

  /** The server could not write just now and says when to try again. */
  sendAgain(numbers) {
    for (const n of numbers) this.sent.delete(n);
    this.deliver();
  }

  acknowledge(session, numbers, { seen, done }) {
    const positions = this.outbox.waiting(session).filter((row) => numbers.includes(row.n));
    if (positions.length) this.confirmed = positions[positions.length - 1].p;
    for (const n of numbers) this.sent.delete(n);
    this.outbox.remove(session, numbers);
    this.saved({ seen, done });
  }

  /** Refused beats will be refused again: they go, and the doctor is told in plain words. */
  refuse(session, numbers, { reason, detail }) {
    for (const n of numbers) this.sent.delete(n);
    this.outbox.remove(session, numbers);
    this.dispatchEvent(new CustomEvent("refused", { detail: { reason, detail } }));
    if (!session || session !== this.session.id) return; // the second frame after one end: a new session is on its way
    if (reason === "session_ended" || reason === "unknown_session") {
      this.session.reopen().catch((error) => console.info("No new play session:", error.message));
    }
    if (reason === "not_enrolled") this.bye(reason);
    else this.deliver();
  }

  saved(figures) {
    this.dispatchEvent(new CustomEvent("saved", { detail: figures }));
    if (!this.waiting.length) this.tell("saved");
  }

  tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  /** The server ended the conversation. "restarting" is no end: the socket comes back by itself. */
  bye(reason) {
    if (reason === "restarting") return;
    this.isOver = true;
    this.socket.stop();
    this.session.close();
    clearInterval(this.watchdog);
    clearTimeout(this.retry);
    this.dispatchEvent(new CustomEvent("bye", { detail: { reason } }));
  }

  /**
   * This picture is over, another one follows on the same page and socket: what is left goes by request, because there
   * the next session has its own numbers.
   */
  finish() {
    this.flush();
    this.isOver = true;
    this.isFinished = true;
    this.session.close();
    clearInterval(this.watchdog);
    this.sent.clear();
    this.deliver();
  }

  /** The page may never run again. What the beacon carries stays in the outbox, because nobody hears its answer. */
  leave() {
    this.flush();
    this.outbox.leave();
    const beats = this.waiting.map(({ n, s, p }) => ({ n, s, p }));
    if (beats.length && !this.isOver) this.wire.beacon(this.urlsOf(this.webinar).beats, { session: this.session.id, beats });
  }

  comeBack() {
    this.collector.cut();
    this.socket.reset();
    this.deliver();
  }

  /**
   * What earlier visits on this device could not deliver. Sent before the session opens, so that the server's answer
   * includes it. Whoever watched elsewhere since then keeps the newer position: the server's position is only moved if it
   * still is one this device has set. Tabs that are open now hold a lock and send for themselves.
   */
  async deliverLeftovers(position) {
    for (const beats of this.outbox.others(this.session.id)) {
      await whileUnused(beats[0].session, () => this.deliverLeftover(beats, position));
    }
  }

  async deliverLeftover(beats, position) {
    const { session, webinar, base, phase = "on_demand" } = beats[0];
    const urls = this.urlsOf(webinar);
    try {
      const known = webinar === this.webinar ? { position, phase: this.phase } : await this.wire.get(urls.playback);
      const current = known.position;
      // A place in a broadcast cannot be compared with one in its recording: the server maps it.
      const isOurs = known.phase !== phase || [base].concat(beats.map((row) => row.p)).some((p) => Math.abs(p - current) < 0.01);
      for (let from = 0; from < beats.length; from += MOST_PER_REQUEST) {
        const part = beats.slice(from, from + MOST_PER_REQUEST).map(({ n, s, p }) => ({ n, s, p: isOurs ? p : current }));
        const answer = await this.wire.post(urls.beats, { session, beats: part });
        await this.outbox.remove(session, answer.acked.concat(answer.refused.map((row) => row.n)));
        if (webinar === this.webinar && phase === this.phase) this.tellLeftover(part.filter((row) => answer.acked.includes(row.n)));
      }
    } catch (error) {
      // At the next visit, even after a 404: a course taken back for an hour must not cost what was watched offline.
      if (!(error instanceof RequestFailed)) throw error;
    }
  }

  tellLeftover(beats) {
    if (!beats.length) return;
    const detail = { spans: [].concat(...beats.map((row) => row.s)), position: beats[beats.length - 1].p };
    this.confirmed = this.reported = detail.position;
    this.dispatchEvent(new CustomEvent("leftover", { detail }));
  }

  urlsOf(webinar) {
    return { beats: this.urls.beats.replace("{webinar}", webinar), playback: this.urls.playback.replace("{webinar}", webinar) };
  }
}

/** Holds this tab's session for as long as the tab lives. */
export function holdSession(id) {
  if (navigator.locks) navigator.locks.request(`rounds-session-${id}`, () => new Promise(() => {}));
}

function whileUnused(id, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(`rounds-session-${id}`, { ifAvailable: true }, (lock) => (lock ? work() : null));
}
