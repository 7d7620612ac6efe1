// What the desk knows of the questions. Events are the truth; answers to requests may be older than what they found here.

const MINE = "mine";
const COUNT_AGAIN_MILLISECONDS = 1500;

function before(one, other) {
  if (one.is_priority !== other.is_priority) return one.is_priority ? -1 : 1;
  if (one.asked_at !== other.asked_at) return one.asked_at < other.asked_at ? -1 : 1;
  return one.id - other.id;
}

export class Store extends EventTarget {
  /** Events: `change` (detail: {question, before}; without them, the list changed as a whole), `failed` (a Refused). */
  constructor({ requests, overview, clock }) {
    super();
    this.requests = requests;
    this.clock = clock;
    this.me = overview.me;
    this.questions = new Map();
    this.heard = new Map(); // events of each question: an answer that one has overtaken is not news
    this.view = { tab: "new", q: "", page: 1, pages: 1, count: 0, ids: [] };
    this.asking = 0;
    this.begin(overview);
  }

  begin(overview) {
    for (const question of overview.mine) this.keep(question);
    this.take(overview.questions);
  }

  take(answer) {
    this.counts = answer.by_state;
    for (const question of answer.results) this.keep(question);
    Object.assign(this.view, { page: answer.page, pages: answer.pages, count: answer.count });
    this.view.ids = answer.results.map((question) => question.id);
  }

  get(id) {
    return this.questions.get(id);
  }

  now() {
    return this.clock.now();
  }

  /** Who works on it now: an expired claim is none. */
  claim(question) {
    if (!question.claimed_by || !question.claimed_until) return null;
    const left = (Date.parse(question.claimed_until) - this.now()) / 1000;
    if (left <= 0) return null;
    return { id: question.claimed_by.id, name: question.claimed_by.name, left, mine: question.claimed_by.id === this.me.id };
  }

  get shown() {
    if (this.view.tab === MINE) {
      const words = this.view.q.toLowerCase();
      const mine = [...this.questions.values()].filter((one) => (this.claim(one) || {}).mine);
      return mine.filter((one) => `${one.text} ${one.author.name}`.toLowerCase().includes(words)).sort(before);
    }
    return this.view.ids.map((id) => this.questions.get(id)).filter(Boolean);
  }

  countOf(tab) {
    if (tab === MINE) return [...this.questions.values()].filter((one) => (this.claim(one) || {}).mine).length;
    if (tab) return this.counts[tab] || 0;
    return Object.values(this.counts).reduce((sum, one) => sum + one, 0);
  }

  async look(change) {
    Object.assign(this.view, { page: 1 }, change);
    if (this.view.tab === MINE) {
      this.view.pages = 1;
      this.changed();
      return;
    }
    await this.ask();
  }

  async ask() {
    clearTimeout(this.again);
    this.again = null;
    const mine = (this.asking += 1);
    const { tab, q, page } = this.view;
    const query = new URLSearchParams({ state: tab === MINE ? "" : tab, q, page });
    const heard = new Map(this.heard);
    try {
      const answer = await this.requests.get(`questions/?${query}`);
      if (mine !== this.asking) return;
      if (tab === MINE) this.counts = answer.by_state;
      else this.take({ ...answer, results: answer.results.map((one) => this.newer(one, heard)) });
      this.changed();
    } catch (refused) {
      this.dispatchEvent(new CustomEvent("failed", { detail: refused }));
    }
  }

  newer(question, heard) {
    const known = this.questions.get(question.id);
    const overtaken = this.heard.get(question.id) !== heard.get(question.id);
    return known && (overtaken || known.version > question.version) ? known : question;
  }

  keep(question) {
    const known = this.questions.get(question.id);
    if (!known || known.version <= question.version) this.questions.set(question.id, question);
  }

  /** What was heard of a question when a request for it began; give it to `answered`. */
  mark(id) {
    return this.heard.get(id) || 0;
  }

  answered(question, mark) {
    const known = this.questions.get(question.id);
    if (known && known.version >= question.version && this.mark(question.id) !== mark) return;
    this.accept(question);
  }

  heardOf(question) {
    this.heard.set(question.id, this.mark(question.id) + 1);
    this.accept(question);
  }

  accept(question) {
    const known = this.questions.get(question.id) || null;
    if (known && known.version > question.version) return;
    this.questions.set(question.id, question);
    this.count(known, question);
    this.place(question);
    this.changed({ question, before: known });
  }

  count(known, question) {
    const { state } = question;
    if (known && known.state !== state) {
      this.counts[known.state] = Math.max(0, this.counts[known.state] - 1);
      this.counts[state] += 1;
    } else if (!known && state === "new" && question.version === 1) this.counts[state] += 1;
    else if (!known) this.askSoon();
  }

  /** Keeps the open list right without asking: who searches, or is on another page, asks again a little later. */
  place(question) {
    const view = this.view;
    if (view.tab === MINE) return;
    const at = view.ids.indexOf(question.id);
    if (view.q) {
      if (at < 0) this.askSoon();
      return;
    }
    const belongs = !view.tab || view.tab === question.state;
    if (at >= 0 && !belongs) {
      view.ids.splice(at, 1);
      if (view.pages > 1) this.askSoon();
    } else if (at < 0 && belongs) {
      if (view.page === view.pages) view.ids.push(question.id);
      else this.askSoon();
    }
    view.ids.sort((one, other) => before(this.questions.get(one), this.questions.get(other)));
  }

  askSoon() {
    if (!this.again) this.again = setTimeout(() => this.ask(), COUNT_AGAIN_MILLISECONDS);
  }

  changed(detail = {}) {
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}
