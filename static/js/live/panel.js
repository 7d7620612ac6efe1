// The room beside the picture: announcements, links, polls, questions. Lists come with the page and are kept up by events.
// What people wrote is only ever set as text.

import { clock, say } from "../player/words.js";
import { RequestFailed } from "../player/wire.js";
import { Polls } from "./polls.js";

const LINES = ["polling", "waiting"];
const SHOWN_ANNOUNCEMENTS = 3;

/** Version 4, also where `randomUUID` is missing (older browsers, plain http). */
export function newKey() {
  if (window.crypto.randomUUID) return window.crypto.randomUUID();
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Panel {
  /** `seconds()`: where the doctor's player is, or null. */
  constructor({ room, wire, seconds }) {
    Object.assign(this, { room, wire, seconds });
    this.polls = new Polls({ wire });
    room.addEventListener("state", ({ detail }) => this.allow(detail.may));
    room.addEventListener("presence", ({ detail }) => this.count(detail.people));
    room.addEventListener("mode", ({ detail }) => this.showLine(detail));
    room.addEventListener("event", ({ detail }) => this.root && this.heard(detail));
  }

  /** Takes over the room that stands on the page now, if any. */
  show() {
    const root = document.getElementById("room");
    if (!root) {
      this.root = null;
      return;
    }
    if (root !== this.root) {
      this.root = root;
      this.urls = JSON.parse(document.getElementById("page-config").textContent).urls;
      this.renew(JSON.parse(document.getElementById("room-config").textContent));
      this.listen();
      this.showTabs();
    }
    this.count(this.people || 0);
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  renew(config) {
    if (!config || !this.root) return;
    this.may = config.may;
    this.polls.begin({ root: this.part("polls"), url: this.urls.polls, polls: config.polls });
    this.own = new Map(config.own.map((one) => [one.id, one]));
    this.published = new Map(config.published.map((one) => [one.id, one]));
    this.part("pins").replaceChildren();
    for (const pin of config.pins) this.pin(pin);
    this.part("muted").hidden = !config.may.muted;
    this.allow(config.may);
    this.showOwn();
    this.showPublished();
  }

  listen() {
    const { root } = this;
    const form = this.part("ask");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.ask(form); });
    root.addEventListener("submit", (event) => {
      const { part } = event.target.dataset;
      if (part !== "say" && part !== "vote") return;
      event.preventDefault();
      if (part === "say") this.say(event.target);
      else this.vote(event.target);
    });
  }

  // What happens

  heard({ kind, data }) {
    const handlers = {
      announcement: () => this.announce(data),
      pinned: () => this.pin(data),
      own_question: () => this.changeOwn(data),
      published: () => this.publish(data),
      poll: () => this.polls.change(data) && data.state === "open" && this.tell(say("told-poll", { text: data.question })),
      poll_results: () => this.polls.count(data),
      restricted: () => this.restrict(data),
      lanes: () => this.room.ask(),
    };
    if (handlers[kind]) handlers[kind]();
  }

  tell(text) {
    (this.root ? this.part("room-live") : document.getElementById("page-live")).textContent = text;
  }

  announce({ id, text }) {
    const list = this.part("announcements");
    if (Array.from(list.children).some((one) => one.dataset.id === id)) return;
    const line = document.createElement("p");
    line.className = "announcement";
    line.dataset.id = id;
    line.dir = "auto";
    line.textContent = text;
    list.prepend(line);
    while (list.children.length > SHOWN_ANNOUNCEMENTS) list.lastChild.remove();
    this.tell(say("told-announcement", { text }));
  }

  pin({ id, title, url, removed }) {
    const list = this.part("pins");
    const known = Array.from(list.children).find((one) => one.dataset.id === String(id));
    if (known) known.remove();
    // Only addresses of the web: the server has checked it too.
    if (!removed && /^https?:\/\//i.test(url)) {
      const link = document.createElement("a");
      Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer" });
      const name = document.createElement("bdi");
      name.textContent = title;
      link.append(name);
      const item = document.createElement("li");
      item.dataset.id = String(id);
      item.append(link);
      list.prepend(item);
    }
    list.hidden = !list.children.length;
  }

  restrict({ kind, lifted, user }) {
    if (kind === "muted" && user === undefined) this.part("muted").hidden = lifted;
    this.room.ask();
  }

  allow(may) {
    const couldRead = this.may ? this.may.read : may.read;
    this.may = Object.assign({}, this.may, may);
    if (!this.root) return;
    if (couldRead !== may.read) this.readPublished();
    const isMuted = !this.part("muted").hidden;
    this.part("ask").hidden = !may.ask;
    this.part("closed").hidden = may.ask || isMuted;
    for (const one of this.root.querySelectorAll("[data-part=talk]")) one.hidden = !may.ask;
    for (const one of this.root.querySelectorAll("[data-part=vote]")) one.hidden = !may.vote;
  }

  /** That lane was closed or opened for this doctor: events tell only what comes after it. */
  async readPublished() {
    this.published = new Map();
    this.showPublished();
    if (!this.may.read) return;
    let answer;
    try {
      answer = await this.wire.get(this.urls.questions);
    } catch (problem) {
      if (!(problem instanceof RequestFailed)) throw problem;
      return; // what is published from now on still comes; the rest with the next page
    }
    for (const one of answer.published) if (!this.published.has(one.id)) this.published.set(one.id, one);
    this.showPublished();
  }

  count(people) {
    this.people = people;
    if (!this.root) return;
    this.part("people").hidden = !people;
    this.part("people-text").textContent = say("people", { people });
  }

  showLine(line) {
    if (!this.root) return;
    this.part("line").hidden = !LINES.includes(line);
    if (LINES.includes(line)) this.part("line").textContent = say(line === "polling" ? "line-polling" : "line-lost");
  }

  // Questions

  changeOwn(question) {
    const before = this.own.get(question.id);
    this.own.set(question.id, question);
    this.showOwn();
    const theirs = (one) => (one ? one.messages.filter((message) => !message.mine).length : 0);
    if (question.answer_text && !(before && before.answer_text)) this.tell(say("told-answer"));
    else if (theirs(question) > theirs(before)) this.tell(say("told-message"));
  }

  publish(question) {
    const before = this.published.get(question.id);
    if (question.removed) this.published.delete(question.id);
    else this.published.set(question.id, Object.assign({ voted: false, recording_seconds: null }, before, question));
    this.showPublished();
    if (!before && !question.removed) this.tell(say("told-published"));
  }

  /** One item for each, in this order; those that stand there are changed in place, so that focus and half-written text stay. */
  fill(name, questions, write) {
    const list = this.part(name);
    const known = new Map(Array.from(list.children, (item) => [item.dataset.id, item]));
    questions.forEach((question, index) => {
      const id = String(question.id);
      const item = known.get(id) || this.copy(name);
      known.delete(id);
      item.dataset.id = id;
      write(item, question);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] || null);
    });
    for (const item of known.values()) item.remove();
    this.part(`${name}-empty`).hidden = questions.length > 0;
    this.part(`${name}-count`).textContent = questions.length ? String(questions.length) : "";
  }

  copy(name) {
    return this.root.querySelector(`template[data-item=${name}]`).content.firstElementChild.cloneNode(true);
  }

  showPublished() {
    const order = Array.from(this.published.values()).sort((one, other) => other.votes - one.votes || one.id - other.id);
    this.fill("published", order, (item, question) => this.writePublished(item, question));
  }

  writePublished(item, question) {
    write(item, "name", question.name || say("anonymous"));
    write(item, "text", question.text);
    write(item, "answer_text", question.answer_text, true);
    field(item, "answered_live").hidden = !question.is_answered_live;
    const jump = item.querySelector("[data-do=jump]");
    jump.hidden = question.recording_seconds === null || !document.getElementById("player") || this.root.dataset.stage !== "recorded";
    jump.dataset.seconds = String(question.recording_seconds);
    write(item, "clock", question.recording_seconds === null ? "" : clock(question.recording_seconds));
    write(item, "votes", String(question.votes));
    item.querySelector("[data-part=vote]").hidden = !this.may.vote;
    item.querySelector(".vote").setAttribute("aria-pressed", String(question.voted));
  }

  showOwn() {
    const order = Array.from(this.own.values()).sort((one, other) => other.id - one.id);
    this.fill("own", order, (item, question) => this.writeOwn(item, question));
  }

  writeOwn(item, question) {
    write(item, "state", question.is_answered_live ? say("answered-live") : say(`state-${question.state}`));
    field(item, "state").classList.toggle("good", Boolean(question.answer_text) || question.is_answered_live);
    write(item, "text", question.text);
    write(item, "answer_text", question.answer_text, true);
    item.querySelector("[data-part=talk]").hidden = !this.may.ask;
    const talk = question.messages.map((message) => {
      const line = this.copy("message");
      line.className = message.mine ? "is-mine" : "";
      write(line, "author", message.mine ? say("you") : message.author);
      write(line, "text", message.text);
      return line;
    });
    field(item, "messages").replaceChildren(...talk);
  }

  // Writing

  async ask(form) {
    const text = form.elements.text.value;
    // The same key until it arrived: pressing again after a broken line asks nothing twice.
    if (this.askText !== text) this.askKey = newKey();
    this.askText = text;
    const body = { text, is_anonymous: form.elements.anonymous.checked, client_key: this.askKey, at_seconds: this.seconds() };
    const question = await this.send(form, "ask-error", () => this.wire.post(this.urls.questions, body));
    if (!question) return;
    this.askText = null;
    form.elements.text.value = "";
    this.own.set(question.id, question);
    this.showOwn();
    this.choose("own");
    this.tell(say("sent"));
  }

  async say(form) {
    const id = form.closest("[data-id]").dataset.id;
    const text = form.elements.text.value;
    // As above: the same words are the same message, others are another one.
    if (form.dataset.said !== text) form.dataset.key = newKey();
    form.dataset.said = text;
    const body = { text, client_key: form.dataset.key };
    const question = await this.send(form, "say-error", () => this.wire.post(`${this.urls.questions}${id}/messages/`, body));
    if (!question) return;
    delete form.dataset.said;
    form.elements.text.value = "";
    this.own.set(question.id, question);
    this.showOwn();
  }

  async vote(form) {
    const id = Number(form.closest("[data-id]").dataset.id);
    const { voted } = this.published.get(id);
    const method = voted ? "DELETE" : "POST";
    const done = await this.send(form, "", () => this.wire.send(method, `${this.urls.questions}${id}/votes/`, {}));
    const question = this.published.get(id); // another one by now, where an event has come meanwhile
    if (!done || !question) return;
    question.voted = !voted;
    question.votes = Math.max(0, question.votes + (voted ? -1 : 1));
    this.writePublished(form.closest("[data-id]"), question);
  }

  /** One at a time; what went wrong stands under the form. */
  async send(form, errorPart, work) {
    const error = errorPart ? form.querySelector(`[data-part=${errorPart}]`) : null;
    if (form.dataset.busy) return null;
    form.dataset.busy = "true";
    if (error) error.hidden = true;
    try {
      return await work();
    } catch (problem) {
      if (!(problem instanceof RequestFailed)) throw problem;
      const text = (problem.status && problem.detail) || say("not-sent");
      if (error) error.textContent = text;
      if (error) error.hidden = false;
      else this.tell(text);
      return null;
    } finally {
      delete form.dataset.busy;
    }
  }

  // Tabs: answers for all, and one's own

  showTabs() {
    const tabs = this.part("tabs");
    tabs.hidden = false;
    this.root.classList.add("has-tabs");
    tabs.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.choose(tab.getAttribute("aria-controls"));
    });
    tabs.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      this.choose(this.chosen === "own" ? "published" : "own");
      tabs.querySelector("[aria-selected=true]").focus();
      event.preventDefault();
    });
    for (const name of ["published", "own"]) {
      const panel = document.getElementById(name);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `tab-${name}`);
    }
    this.choose(this.chosen || "published");
  }

  choose(name) {
    this.chosen = name;
    for (const one of ["published", "own"]) {
      const tab = document.getElementById(`tab-${one}`);
      tab.setAttribute("aria-selected", String(one === name));
      tab.tabIndex = one === name ? 0 : -1;
      document.getElementById(one).hidden = one !== name;
    }
  }
}

function field(item, name) {
  return item.querySelector(`[data-field=${name}]`);
}

function write(item, name, text, isOptional = false) {
  const element = field(item, name);
  if (element.textContent !== text) element.textContent = text;
  if (isOptional) element.hidden = !text;
}
