// Polls: prepared, opened, closed, results shown or not, with bars that follow the votes.

import { ask } from "./ask.js";
import { clock, partsOf, put, Refused, say, stamp } from "./page.js";

const FITS = {
  open: (poll) => poll.state === "draft",
  edit: (poll) => poll.state === "draft",
  delete: (poll) => poll.state === "draft",
  close: (poll) => poll.state === "open",
  show: (poll) => poll.state !== "draft" && !poll.is_shown && !(poll.kind === "words" && poll.state === "open"),
  hide: (poll) => poll.state !== "draft" && poll.is_shown,
};

/** What each bar is called, and how many chose it. */
function bars(poll) {
  const { results } = poll;
  const counts = (results && results.counts) || {};
  if (poll.kind === "words") {
    return Object.entries((results && results.words) || {}).map(([word, count]) => ({ text: word, count }));
  }
  if (poll.kind !== "scale") {
    return poll.options.map((one) => ({ text: one.text, count: counts[one.position] || 0 }));
  }
  const steps = [];
  if (poll.state === "draft") return steps;
  for (let step = poll.scale_from; step <= poll.scale_to; step += 1) steps.push({ text: step, count: counts[step] || 0 });
  return steps;
}

export class Polls {
  constructor({ root, part, requests, toast, polls }) {
    Object.assign(this, { part, requests, toast });
    this.form = root.querySelector("[data-form=poll]");
    this.fields = this.form.elements;
    this.rows = new Map();
    this.fields.kind.addEventListener("change", () => this.fit());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.form.querySelector("[data-shut]").addEventListener("click", () => this.clear());
    this.fit();
    this.begin(polls);
  }

  begin(polls) {
    this.polls = new Map(polls.map((one) => [one.id, one]));
    this.draw();
  }

  async again() {
    try {
      this.begin((await this.requests.get("polls/")).results);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }

  /** Only the fields that this kind has. */
  fit() {
    for (const box of this.form.querySelectorAll("[data-for]")) {
      const has = box.dataset.for.split(" ").includes(this.fields.kind.value);
      box.hidden = !has;
      for (const field of box.querySelectorAll("input, textarea")) field.disabled = !has;
    }
  }

  /**
   * An event does not say which words of a cloud another desk keeps back: until they are known here, none are offered, and
   * they stay as they are. What was done here came with the answer.
   */
  heard(data) {
    const known = this.polls.get(data.id) || { results: null, hidden_words: [] };
    const isNews = known.state !== data.state || known.is_shown !== data.is_shown;
    const isVague = data.kind === "words" && !("hidden_words" in data) && isNews;
    if (data.removed) this.polls.delete(data.id);
    else this.polls.set(data.id, Object.assign(known, data, isVague ? { hidden_words: null } : {}));
    this.draw();
    if (isVague) this.again();
  }

  /** What everybody gets to see of a cloud lacks the words that are kept back. */
  counted(results) {
    const poll = this.polls.get(results.id);
    if (!poll || (poll.kind === "words" && poll.is_shown)) return;
    poll.results = results;
    this.draw();
  }

  draw() {
    for (const [id, row] of this.rows) {
      if (!this.polls.has(id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    }
    for (const poll of this.polls.values()) this.fill(this.rows.get(poll.id) || this.make(poll), poll);
    put(this.part["no-polls"], this.polls.size ? "" : say("poll-none"));
    this.part["poll-open"].hidden = ![...this.polls.values()].some((poll) => poll.state === "open");
  }

  make(poll) {
    const row = stamp("poll");
    for (const button of row.root.querySelectorAll("[data-poll]")) {
      button.addEventListener("click", () => this.act(button.dataset.poll, poll.id));
    }
    this.rows.set(poll.id, row);
    this.part.polls.append(row.root);
    return row;
  }

  fill({ root, part }, poll) {
    put(part.question, poll.question);
    put(part.state, say(`poll-state-${poll.state}`));
    part.state.classList.toggle("dk-good", poll.state === "open");
    part.shown.hidden = !poll.is_shown;
    const about = [say(`poll-kind-${poll.kind}`)];
    if (poll.most_choices > 1) about.push(say("poll-choices", { n: poll.most_choices }));
    if (poll.kind === "scale") about.push(say("poll-scale", { from: poll.scale_from, to: poll.scale_to }));
    if (typeof poll.opened_seconds === "number") about.push(say("poll-minute", { time: clock(poll.opened_seconds) }));
    if (poll.results) about.push(say("poll-votes", { n: poll.results.votes }));
    if (poll.results && poll.results.mean !== null) about.push(say("poll-mean", { n: poll.results.mean }));
    put(part.about, about.join(" · "));
    this.fillBars(part.bars, poll);
    this.fillWords(part.words, poll);
    for (const button of root.querySelectorAll("[data-poll]")) button.hidden = !FITS[button.dataset.poll](poll);
  }

  fillBars(place, poll) {
    const rows = bars(poll);
    const all = poll.results ? poll.results.votes : 0;
    while (place.childElementCount > rows.length) place.lastElementChild.remove();
    rows.forEach(({ text, count }, at) => {
      const item = place.children[at] || place.appendChild(stamp("bar").root);
      const part = partsOf(item);
      put(part.text, text);
      put(part.figure, all ? `${count} · ${Math.round((100 * count) / all)} %` : "");
      part.bar.hidden = poll.state === "draft";
      part.bar.max = Math.max(1, all);
      part.bar.value = count;
      part.bar.setAttribute("aria-label", String(text));
    });
  }

  fillWords(place, poll) {
    const offered = poll.kind === "words" && poll.state === "closed" && !poll.is_shown && poll.hidden_words;
    const words = offered ? Object.keys((poll.results || {}).words || {}) : [];
    place.hidden = !words.length;
    const signature = words.join("\n");
    if (place.dataset.words === signature) return;
    place.dataset.words = signature;
    while (place.childElementCount > 1) place.lastElementChild.remove();
    for (const word of words) {
      const { root, part } = stamp("word");
      const box = root.querySelector("input");
      box.value = word;
      box.checked = poll.hidden_words.includes(word);
      put(part.text, word);
      place.append(root);
    }
  }

  async act(what, id) {
    const poll = this.polls.get(id);
    if (what === "edit") {
      this.edit(poll);
      return;
    }
    if (what === "delete") {
      const sure = await ask({ title: say("poll-delete-title"), text: say("poll-delete-text"), yes: say("delete") });
      if (sure === null) return;
    }
    try {
      if (what === "delete") {
        await this.requests.remove(`polls/${id}/`);
        this.polls.delete(id);
        this.draw();
      } else this.heard(await this.requests.post(`polls/${id}/${what}/`, this.bodyOf(what, id)));
      this.toast.show(say(`done-poll-${what}`));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }

  bodyOf(what, id) {
    const { kind, hidden_words: known } = this.polls.get(id);
    if (what !== "show" || kind !== "words" || !known) return {};
    const boxes = this.rows.get(id).part.words.querySelectorAll("input:checked");
    return { hidden_words: Array.from(boxes, (box) => box.value) };
  }

  edit(poll) {
    for (const name of ["id", "kind", "question", "most_choices", "scale_from", "scale_to"]) this.fields[name].value = poll[name];
    this.fields.options.value = poll.options.map((one) => one.text).join("\n");
    this.fit();
    this.part["poll-new"].open = true;
    this.fields.question.focus();
  }

  clear() {
    this.form.reset();
    this.fields.id.value = "";
    put(this.form.querySelector("[data-part=form-error]"), "");
    this.fit();
    this.part["poll-new"].open = false;
    this.part["poll-new"].querySelector("summary").focus();
  }

  async save() {
    const { kind, question, options, most_choices: most, scale_from: from, scale_to: to, id } = this.fields;
    const body = { kind: kind.value, question: question.value };
    if (!options.disabled) body.options = options.value.split("\n").map((one) => one.trim()).filter(Boolean);
    if (!most.disabled) body.most_choices = Number(most.value);
    if (!from.disabled) Object.assign(body, { scale_from: Number(from.value), scale_to: Number(to.value) });
    try {
      const poll = id.value ? await this.requests.put(`polls/${id.value}/`, body) : await this.requests.post("polls/", body);
      this.heard(poll);
      this.clear();
      this.toast.show(say("done-poll"));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      put(this.form.querySelector("[data-part=form-error]"), refused.detail);
    }
  }
}
