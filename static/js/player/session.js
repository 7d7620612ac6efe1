// The play session: whose seconds these are. Opening one also grants this video's files to this browser for some minutes.

import { Backoff } from "./backoff.js";
import { RequestFailed } from "./wire.js";

const RENEW_MILLISECONDS = 4 * 60 * 1000;
// Of a grant's life: live it lasts a minute, so that somebody removed loses the picture soon.
const RENEW_SHARE = 0.6;

export class PlaySession extends EventTarget {
  /**
   * `grantSeconds`: what is left of the grant the page itself came with. Wall-clock time, because a laptop that slept
   * has an expired grant although no timer of this page ran.
   */
  constructor({ wire, url, grantSeconds, version = "" }) {
    super();
    this.wire = wire;
    this.url = url;
    this.version = version;
    this.id = null;
    this.opening = null;
    this.backoff = new Backoff();
    this.grantedUntil = Date.now() + grantSeconds * 1000;
    this.timer = null;
  }

  get hasGrant() {
    return Date.now() < this.grantedUntil - 5000;
  }

  /** Opens the session once, however often it is asked for, and does not give up while the page lives. */
  open() {
    if (!this.opening) this.opening = this.insist();
    return this.opening;
  }

  async insist() {
    for (;;) {
      try {
        const answer = await this.wire.post(this.url, { version: this.version });
        this.accept(answer);
        this.id = answer.session;
        this.dispatchEvent(new CustomEvent("opened", { detail: answer }));
        return this.id;
      } catch (error) {
        if (!(error instanceof RequestFailed)) throw error;
        if (isFinal(error)) {
          this.opening = null;
          this.dispatchEvent(new CustomEvent("refused", { detail: error }));
          throw error;
        }
        await this.pause(this.backoff.next(error.after) + 500);
      }
    }
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      window.addEventListener("online", done);
    });
  }

  accept(answer) {
    this.backoff.reset();
    this.dispatchEvent(new CustomEvent("granted", { detail: answer }));
    const left = Math.max(0, secondsLeft(answer)) * 1000;
    this.grantedUntil = Date.now() + left;
    clearTimeout(this.timer);
    if (this.isClosed) return;
    this.timer = setTimeout(() => this.renew().catch((error) => this.later(error)), Math.min(RENEW_MILLISECONDS, left * RENEW_SHARE));
  }

  later({ after = 0 } = {}) {
    clearTimeout(this.timer);
    if (this.isClosed) return;
    const soon = Math.min(15000, Math.max(1000, (this.grantedUntil - Date.now()) / 3));
    this.timer = setTimeout(() => this.renew().catch((error) => this.later(error)), soon + this.backoff.next(after));
  }

  /** A fresh grant for the same session. Called by the clock, and by the player when a file was refused. */
  renew() {
    if (!this.id) return this.open();
    if (!this.renewing) {
      this.renewing = this.wire
        .post(this.url, { session: this.id })
        .then((answer) => {
          this.accept(answer);
          if (answer.session !== this.id) this.replace(answer);
        })
        .catch((error) => {
          if (error instanceof RequestFailed && isFinal(error)) {
            this.dispatchEvent(new CustomEvent("refused", { detail: error }));
          }
          throw error;
        })
        .then(
          () => { this.renewing = null; },
          (error) => { this.renewing = null; throw error; },
        );
    }
    return this.renewing;
  }

  replace(answer) {
    this.id = answer.session;
    this.opening = Promise.resolve(this.id);
    this.dispatchEvent(new CustomEvent("opened", { detail: answer }));
  }

  /** The server ended this session but not the doctor's right to watch: begin another one. */
  reopen() {
    this.id = null;
    this.opening = null;
    return this.open();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
  }
}

/** 4xx will stay so, except for "too many" and a time-out. */
export function isFinal(error) {
  return error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429;
}

/** The server's clock and the doctor's may be an hour apart: the zero is the moment of the answer by the server's clock. */
function secondsLeft(answer) {
  const until = Date.parse(answer.grant_expires_at);
  const sent = Date.parse(answer.sent_at);
  return Number.isNaN(until) ? 0 : (until - (Number.isNaN(sent) ? Date.now() : sent)) / 1000;
}
