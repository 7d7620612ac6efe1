// One question, open on the desk. What is typed stays, whatever happens to the question meanwhile.

import { asked } from "./queue.js";
import { clock, country, newKey, put, say, sayDid, stamp, timeOfDay } from "./page.js";

const OPEN = new Set(["new", "forwarded", "answered", "published"]);
// Which buttons make sense in which state; the server has the last word.
const FITS = {
  claim: (question, claim) => !claim,
  release: (question, claim) => claim && claim.mine,
  forward: (question) => question.state === "new" || question.state === "forwarded",
  answer: (question) => OPEN.has(question.state),
  "answer-live": (question) => OPEN.has(question.state) && !question.is_answered_live,
  publish: (question) => OPEN.has(question.state) && question.state !== "published",
  unpublish: (question) => question.state === "published",
  dismiss: (question) => OPEN.has(question.state),
  restore: (question) => question.state === "dismissed" || question.state === "merged",
  merge: (question) => OPEN.has(question.state),
};
const SEARCH_MILLISECONDS = 300;

export class Card extends EventTarget {
  /** Event `person`: {do, id, name}. */
  constructor({ place, store, moves, drafts, replies, log, requests, toast }) {
    super();
    Object.assign(this, { place, store, moves, drafts, replies, log, requests, toast });
    this.nothing = place.querySelector("[data-part=nothing]");
    this.id = null;
    store.addEventListener("change", ({ detail }) => {
      if (detail.question && detail.question.id === this.id) this.changed(detail.before, detail.question);
    });
    moves.addEventListener("conflict", ({ detail }) => detail.id === this.id && this.conflict(detail));
    moves.addEventListener("refused", ({ detail }) => {
      if (detail.id === this.id) this.alert(detail.detail);
      else this.toast.show(detail.detail);
    });
  }

  get question() {
    return this.id === null ? null : this.store.get(this.id);
  }

  open(id, focus) {
    if (id !== this.id) {
      if (this.root) this.root.remove();
      this.id = id;
      this.sayKey = null;
      Object.assign(this, stamp("card"));
      this.form = {};
      for (const form of this.root.querySelectorAll("[data-form]")) this.form[form.dataset.form] = form;
      this.listen();
      this.restore();
      this.nothing.hidden = true;
      this.place.append(this.root);
    }
    this.draw();
    if (focus) this.root.querySelector("h3").focus();
  }

  listen() {
    for (const button of this.root.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.act(button.dataset.move, button.hasAttribute("data-with-wording")));
    }
    for (const button of this.root.querySelectorAll("[data-open]")) {
      button.addEventListener("click", () => this.toggle(button.dataset.open));
    }
    for (const button of this.root.querySelectorAll("[data-shut]")) {
      button.addEventListener("click", () => this.shut(button.closest("form").dataset.form, true));
    }
    for (const button of this.root.querySelectorAll("[data-person]")) {
      button.addEventListener("click", () => {
        const { id, name } = this.question.author;
        this.dispatchEvent(new CustomEvent("person", { detail: { do: button.dataset.person, id, name } }));
      });
    }
    for (const [name, form] of Object.entries(this.form)) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit(name);
      });
      form.addEventListener("input", (event) => this.typed(name, event.target));
    }
    for (const reply of this.replies) this.part.canned.add(new Option(reply.title, String(reply.id)));
    this.part.canned.addEventListener("change", () => this.insert());
  }

  /** What was typed here before another question was opened. */
  restore() {
    const { question } = this;
    const { values } = this.drafts.get(this.id) || { values: {} };
    this.form.forward.elements.edited_text.value = question.edited_text || question.text;
    this.form.forward.elements.is_priority.checked = question.is_priority;
    this.form.answer.elements.text.value = question.answer_text;
    for (const [key, value] of Object.entries(values)) {
      const [form, name] = key.split("/");
      this.form[form].elements[name].value = value;
      this.form[form].hidden = false;
    }
    this.wording = this.form.forward.elements.edited_text.value;
    this.showForms();
  }

  typed(form, field) {
    if (form === "merge") {
      clearTimeout(this.searching);
      this.searching = setTimeout(() => this.find(), SEARCH_MILLISECONDS);
      return;
    }
    if (field.localName !== "textarea") return;
    if (form === "say") this.sayKey = null; // other words are another message
    const asBefore = { forward: this.question.edited_text || this.question.text, answer: this.question.answer_text, say: "" };
    this.drafts.write(this.question, `${form}/${field.name}`, field.value, asBefore[form]);
    this.moves.keep(this.id);
  }

  insert() {
    const reply = this.replies.find((one) => String(one.id) === this.part.canned.value);
    const field = this.form.answer.elements.text;
    if (reply) field.value = field.value ? `${field.value.trimEnd()}\n${reply.text}` : reply.text;
    this.part.canned.value = "";
    field.focus();
    this.typed("answer", field);
  }

  toggle(name) {
    const form = this.form[name];
    if (!form.hidden) {
      this.shut(name, true);
      return;
    }
    for (const other of ["forward", "answer", "merge"]) this.form[other].hidden = other !== name;
    this.showForms();
    const field = name === "merge" ? form.elements.q : form.querySelector("textarea");
    field.focus();
    if (name === "merge") this.find();
  }

  shut(name, focus) {
    this.form[name].hidden = true;
    this.showForms();
    if (focus) this.root.querySelector(`[data-open=${name}]`).focus();
  }

  showForms() {
    for (const button of this.root.querySelectorAll("[data-open]")) {
      button.setAttribute("aria-expanded", String(!this.form[button.dataset.open].hidden));
    }
  }

  /** By button or key. A key for what makes no sense now does nothing. */
  async act(move, withWording = false) {
    const { question } = this;
    if (!question || !FITS[move](question, this.store.claim(question))) return;
    const body = {};
    if (move === "publish" && withWording) body.edited_text = this.form.forward.elements.edited_text.value;
    const done = await this.moves.move(question.id, move, body, withWording ? ["forward/edited_text"] : []);
    if (done && withWording && question.id === this.id) this.shut("forward", false);
  }

  press(name) {
    const fits = this.question && FITS[name](this.question, this.store.claim(this.question));
    if (fits && this.form[name].hidden) this.toggle(name);
    else if (fits) this.form[name].querySelector("textarea, input").focus();
  }

  async submit(name) {
    const { id } = this;
    const fields = this.form[name].elements;
    let done = false;
    if (name === "forward") {
      const body = { edited_text: fields.edited_text.value, is_priority: fields.is_priority.checked };
      done = await this.moves.move(id, "forward", body, ["forward/edited_text"]);
    } else if (name === "answer") {
      done = await this.moves.move(id, "answer", { text: fields.text.value }, ["answer/text"]);
    } else if (name === "say") {
      this.sayKey = this.sayKey || newKey();
      const body = { text: fields.text.value, lane: fields.lane.value, client_key: this.sayKey };
      done = await this.moves.move(id, "say", body, ["say/text"]);
      if (done) this.sayKey = null;
      if (done && id === this.id) fields.text.value = "";
    } else {
      await this.find();
    }
    if (done && id === this.id && name !== "say") this.shut(name, true);
  }

  async find() {
    const { id } = this;
    const search = (this.search = {}); // an answer that a newer search has overtaken is for nobody
    clearTimeout(this.searching);
    const query = new URLSearchParams({ q: this.form.merge.elements.q.value, state: "" });
    let answer;
    try {
      answer = await this.requests.get(`questions/?${query}`);
    } catch (refused) {
      this.alert(refused.detail);
      return;
    }
    if (id !== this.id || search !== this.search) return;
    const found = answer.results.filter((one) => one.id !== id && OPEN.has(one.state)).slice(0, 8);
    this.part.found.replaceChildren(...found.map((one) => this.choice(one)));
    if (!found.length) this.part.found.append(Object.assign(document.createElement("li"), { textContent: say("empty-search") }));
  }

  choice(question) {
    const { root, part } = stamp("found");
    put(part.text, question.edited_text || question.text);
    put(part.about, `${question.author.name} · ${say(`state-${question.state}`)}`);
    part.choose.addEventListener("click", async () => {
      const { id } = this;
      if ((await this.moves.move(id, "merge", { into: question.id })) && id === this.id) this.shut("merge", true);
    });
    return root;
  }

  /** The question is another one than a moment ago. What nobody has touched here follows; what was typed stays. */
  changed(before, question) {
    const values = (this.drafts.get(this.id) || { values: {} }).values;
    const fresh = { "forward/edited_text": question.edited_text || question.text, "answer/text": question.answer_text };
    for (const [key, text] of Object.entries(fresh)) {
      const [form, name] = key.split("/");
      if (!(key in values)) this.form[form].elements[name].value = text;
    }
    if (before && before.is_priority !== question.is_priority) {
      this.form.forward.elements.is_priority.checked = question.is_priority;
    }
    this.draw();
  }

  /** Somebody was faster: what they did, before anything is tried again. */
  conflict({ before, after, detail }) {
    const lines = [];
    const shown = (after.edited_text || after.text).slice(0, 80);
    const entry = this.log.latestAbout(shown);
    if (entry && entry.by !== this.store.me.name) lines.push(say("changed-by", { name: entry.by, did: sayDid(entry.did) }));
    if (before.state !== after.state) lines.push(say("changed-state", { state: say(`state-${after.state}`) }));
    if (after.answer_text && before.answer_text !== after.answer_text) {
      lines.push(say("changed-answer", { text: after.answer_text }));
    }
    if (before.edited_text !== after.edited_text && after.edited_text) {
      lines.push(say("changed-wording", { text: after.edited_text }));
    }
    const claim = this.store.claim(after);
    if (claim && !claim.mine) lines.push(say("on-it", { name: claim.name }));
    if (this.drafts.has(this.id)) lines.push(say("changed-kept"));
    this.alert(detail, lines);
  }

  /** Something went well: what went wrong before is history. */
  settled() {
    if (this.root) this.alert("");
  }

  alert(text, lines = []) {
    this.part["alert-text"].textContent = text;
    this.part["alert-list"].replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
    );
    this.part.alert.hidden = !text;
  }

  draw() {
    const { question, part } = this;
    if (!question) return;
    put(part.name, question.author.name);
    put(part.country, country(question.author.country));
    put(part.asked, asked(question));
    put(part.votes, question.votes ? say("votes", { n: question.votes }) : "");
    put(part.state, say(`state-${question.state}`));
    part.priority.hidden = !question.is_priority;
    part.anonymous.hidden = !question.is_anonymous;
    put(part.merged, question.merged_into ? say("merged-into", { id: question.merged_into }) : "");
    put(part.text, question.text);
    put(part.edited, question.edited_text);
    part["edited-box"].hidden = !question.edited_text;
    const live = question.is_answered_live ? say("answered-live-at", { time: clock(question.answered_seconds) }) : "";
    put(part["answer-live"], live);
    put(part.answer, question.answer_text);
    part["answer-box"].hidden = !live && !question.answer_text;
    this.drawClaim();
    this.drawTalk();
  }

  drawClaim() {
    const { question, part } = this;
    if (!question) return;
    const claim = this.store.claim(question);
    const values = claim && { name: claim.name, seconds: Math.ceil(claim.left) };
    put(part.claim, claim ? say(claim.mine ? "claim-mine" : "claim-other", values) : say("claim-free"));
    part.claim.classList.toggle("dk-other", Boolean(claim && !claim.mine));
    for (const button of this.root.querySelectorAll("[data-move], [data-open]")) {
      if (button.hasAttribute("data-with-wording")) continue;
      button.hidden = !FITS[button.dataset.move || button.dataset.open](question, claim);
    }
  }

  drawTalk() {
    const { messages } = this.question;
    if (this.part.talk.childElementCount === messages.length && this.talkOf === this.id) return;
    this.talkOf = this.id;
    this.part.talk.replaceChildren(
      ...messages.map((message) => {
        const { root, part } = stamp("message");
        put(part.author, message.author);
        put(part.lane, say(`lane-${message.lane}`));
        put(part.at, timeOfDay(message.at));
        put(part.text, message.text);
        return root;
      }),
    );
  }
}
