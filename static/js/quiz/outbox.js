// Answers on their way: kept in this browser until the server has said that it has them. One entry a question, the newest.
// A page that was closed, or a line that broke, loses nothing: the next page of this attempt sends it.

import { Backoff } from "../player/backoff.js";

const TOO_MANY = 429;

export class Outbox {
  /**
   * `send(position, body)` resolves when it is saved and rejects with a RequestFailed. `saved`, `kept` and `refused` are
   * told what became of each; `refused` gets the answer that stands instead, or null.
   */
  constructor({ attempt, send, storage, saved, kept, refused, backoff = new Backoff() }) {
    this.key = `answers:${attempt}`;
    this.send = send;
    this.storage = storage;
    this.tell = { saved, kept, refused };
    this.backoff = backoff;
    this.waiting = this.read();
    this.sending = null;
    this.timer = 0;
  }

  read() {
    try {
      return JSON.parse(this.storage.getItem(this.key) || "{}");
    } catch (error) {
      return {};
    }
  }

  // A private window may refuse to store anything: then only this page keeps it.
  write() {
    try {
      if (this.isEmpty()) this.storage.removeItem(this.key);
      else this.storage.setItem(this.key, JSON.stringify(this.waiting));
    } catch (error) {
      this.storage = { getItem: () => null, setItem() {}, removeItem() {} };
    }
  }

  isEmpty() {
    return Object.keys(this.waiting).length === 0;
  }

  put(position, body) {
    this.waiting[position] = body;
    this.write();
    return this.flush();
  }

  /** Everything that waits, one after the other. Whoever calls while that goes on waits for the same end. */
  flush() {
    clearTimeout(this.timer);
    if (!this.sending) {
      this.sending = this.deliverAll().finally(() => {
        this.sending = null;
      });
    }
    return this.sending;
  }

  async deliverAll() {
    while (!this.isEmpty()) {
      const position = Number(Object.keys(this.waiting)[0]);
      if (!(await this.deliver(position))) return;
    }
    this.backoff.reset();
  }

  /** False when nothing gets through: it is tried again later, or at once when the browser says that it is online. */
  async deliver(position) {
    const body = this.waiting[position];
    try {
      await this.send(position, body);
    } catch (error) {
      if (!error.status || error.status >= 500 || error.status === TOO_MANY) {
        this.tell.kept(position);
        this.timer = setTimeout(() => this.flush(), this.backoff.next(error.after || 0));
        return false;
      }
      this.drop(position, body);
      this.tell.refused(position, error.current, error.detail);
      return true;
    }
    if (this.drop(position, body)) this.tell.saved(position, body);
    return true;
  }

  /** Unless a newer one has taken its place meanwhile. */
  drop(position, body) {
    if (this.waiting[position] !== body) return false;
    delete this.waiting[position];
    this.write();
    return true;
  }
}
