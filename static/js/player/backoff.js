// When to try again. Full jitter: after a server restart thousands of players must not come back in the same second.

export class Backoff {
  constructor({ base = 1000, most = 30000, random = Math.random } = {}) {
    this.base = base;
    this.most = most;
    this.random = random;
    this.attempts = 0;
  }

  /** Milliseconds to wait before the next attempt: anywhere between `least`, which the server asked for, and the doubling limit more. */
  next(least = 0) {
    const limit = Math.min(this.most, this.base * Math.pow(2, Math.min(this.attempts, 30)));
    this.attempts += 1;
    return Math.round(least + this.random() * limit);
  }

  reset() {
    this.attempts = 0;
  }
}

const LONGEST_ASKED = 120000;

/** Milliseconds that an answer asks to wait (Retry-After, in seconds); 0 when it says nothing that makes sense. */
export function askedToWait(response) {
  const seconds = Number((response && response.headers && response.headers.get("Retry-After")) || 0);
  return seconds > 0 ? Math.min(LONGEST_ASKED, seconds * 1000) : 0;
}
