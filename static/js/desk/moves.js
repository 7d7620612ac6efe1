// What a moderator does with a question: one request each, with the version that was on the screen. Nothing is shown as done
// before the server has said so, and somebody else's work is never written over unseen.

import { Refused, say } from "./page.js";

const UNDO = {
  claim: "release",
  release: "claim",
  publish: "unpublish",
  unpublish: "publish",
  dismiss: "restore",
  restore: "dismiss",
  merge: "restore",
};
const RENEW_MILLISECONDS = 20000;

/** Words that are not sent yet, by question, with the version they were begun at. They outlive whatever happens on screen. */
export class Drafts {
  constructor() {
    this.all = new Map();
  }

  has(id) {
    return this.all.has(id);
  }

  get(id) {
    return this.all.get(id) || null;
  }

  write(question, name, text, asBefore) {
    const draft = this.all.get(question.id) || { version: question.version, values: {} };
    if (text === asBefore) delete draft.values[name];
    else draft.values[name] = text;
    if (Object.keys(draft.values).length) this.all.set(question.id, draft);
    else this.all.delete(question.id);
  }

  sent(id, names, version) {
    const draft = this.all.get(id);
    if (!draft) return;
    for (const name of names) delete draft.values[name];
    draft.version = version;
    if (!Object.keys(draft.values).length) this.all.delete(id);
  }

  /** The moderator has seen how the question stands now. */
  seen(id, version) {
    const draft = this.all.get(id);
    if (draft) draft.version = version;
  }
}

export class Moves extends EventTarget {
  /** Events: `conflict` ({id, before, after, detail}), `refused` ({id, detail, status}), `done` ({id, move}). */
  constructor({ requests, store, drafts, toast }) {
    super();
    this.requests = requests;
    this.store = store;
    this.drafts = drafts;
    this.toast = toast;
    this.renewed = new Map();
    this.busy = new Set();
    this.keeping = new Map(); // by question: the taking that is under way; overtaken, it would be refused
  }

  /** `names` are the drafts that go with it. Answers whether it was done. */
  async move(id, move, body = {}, names = []) {
    const key = `${id}/${move}`;
    if (this.busy.has(key)) return false;
    this.busy.add(key);
    await this.keeping.get(id); // never fails
    const draft = names.length ? this.drafts.get(id) : null;
    const before = this.store.get(id);
    const version = draft ? draft.version : before.version;
    const mark = this.store.mark(id);
    try {
      const question = await this.requests.post(`questions/${id}/${move}/`, { version, ...body });
      this.after(id, names, version, question, mark);
      this.tell(id, move);
      return true;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.refuse(id, refused, before, mark);
      return false;
    } finally {
      this.busy.delete(key);
    }
  }

  after(id, names, version, question, mark) {
    const draft = this.drafts.get(id);
    if (names.length) this.drafts.sent(id, names, question.version);
    else if (draft && draft.version === version) draft.version = question.version;
    this.store.answered(question, mark);
  }

  tell(id, move) {
    this.dispatchEvent(new CustomEvent("done", { detail: { id, move } }));
    const back = UNDO[move];
    this.toast.show(say(`done-${move}`), back ? () => this.move(id, back) : null);
  }

  refuse(id, refused, before, mark) {
    const after = refused.current;
    if (after) {
      this.store.answered(after, mark);
      this.drafts.seen(id, after.version);
      this.dispatchEvent(new CustomEvent("conflict", { detail: { id, before, after, detail: refused.detail } }));
    } else {
      this.dispatchEvent(new CustomEvent("refused", { detail: { id, detail: refused.detail, status: refused.status } }));
    }
  }

  /** While one types: takes the question if it is free, and keeps it. Said nowhere, and never worth an error. */
  keep(id) {
    const claim = this.store.claim(this.store.get(id));
    const last = this.renewed.get(id) || 0;
    if ((claim && !claim.mine) || (claim && Date.now() - last < RENEW_MILLISECONDS)) return;
    if (this.keeping.has(id)) return;
    this.renewed.set(id, Date.now());
    this.keeping.set(
      id,
      this.take(id).finally(() => this.keeping.delete(id)),
    );
  }

  async take(id) {
    const mark = this.store.mark(id);
    try {
      const now = await this.requests.post(`questions/${id}/claim/`, { version: this.store.get(id).version });
      this.store.answered(now, mark);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      if (refused.current) this.store.answered(refused.current, mark);
    }
  }
}
