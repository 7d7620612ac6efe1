// When to try again. Full jitter: after a server restart thousands of players must not come back in the same second.

export class Backoff {
  constructor({ base = 1000, most = 30000, random = Math.random } = {}) {
    this.base = base;
    this.most = most;
    this.random = random;
    this.attempts = 0;
  }

  /** Milliseconds to wait before the next attempt: anywhere between 0 and the doubling limit. */
  next() {
    const limit = Math.min(this.most, this.base * Math.pow(2, Math.min(this.attempts, 30)));
    this.attempts += 1;
    return Math.round(this.random() * limit);
  }

  reset() {
    this.attempts = 0;
  }
}
