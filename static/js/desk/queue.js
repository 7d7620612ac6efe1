// The list of questions: which ones, how many, search, paging. Rows are kept, so the focus stays where it is.

import { clock, partsOf, put, say, stamp, timeOfDay } from "./page.js";

const SEARCH_MILLISECONDS = 250;

export function asked(question) {
  if (question.asked_seconds === null) return say("asked-at", { time: timeOfDay(question.asked_at) });
  return say("asked-live", { time: clock(question.asked_seconds) });
}

export class Queue extends EventTarget {
  /** Event `open`: {id, focus}. `drafts` says which questions have unfinished words. */
  constructor({ root, store, drafts }) {
    super();
    this.part = partsOf(root);
    this.store = store;
    this.drafts = drafts;
    this.rows = new Map();
    this.openId = null;
    this.tabs = [...this.part.tabs.querySelectorAll("[data-tab]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.choose(tab.dataset.tab));
    this.part.search.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    this.field = this.part.search.elements.q;
    this.field.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.search(), SEARCH_MILLISECONDS);
    });
    root.querySelector("[data-do=previous]").addEventListener("click", () => this.turn(-1));
    root.querySelector("[data-do=next]").addEventListener("click", () => this.turn(1));
    store.addEventListener("change", () => this.draw());
  }

  choose(tab) {
    for (const one of this.tabs) one.setAttribute("aria-pressed", String(one.dataset.tab === tab));
    this.store.look({ tab });
  }

  chooseNumber(number) {
    const tab = this.tabs[number - 1];
    if (tab) this.choose(tab.dataset.tab);
  }

  search() {
    clearTimeout(this.typing);
    const q = this.field.value.trim();
    if (q !== this.store.view.q) this.store.look({ q });
  }

  turn(by) {
    this.store.look({ page: this.store.view.page + by });
  }

  /** To the next or previous row; from nowhere, to the first. */
  move(by) {
    const shown = this.store.shown;
    if (!shown.length) return;
    const at = shown.findIndex((one) => one.id === this.openId);
    const to = at < 0 ? (by >= 0 ? Math.min(this.lastAt || 0, shown.length - 1) : shown.length - 1) : at + by;
    const question = shown[Math.max(0, Math.min(shown.length - 1, to))];
    this.open(question.id, false);
    this.rows.get(question.id).root.firstElementChild.focus();
  }

  /** What was open has left the list: the next one takes its place under the keys. */
  remember() {
    const at = this.store.shown.findIndex((one) => one.id === this.openId);
    if (at >= 0) this.lastAt = at;
  }

  open(id, focus) {
    this.openId = id;
    this.remember();
    this.draw();
    this.dispatchEvent(new CustomEvent("open", { detail: { id, focus } }));
  }

  draw() {
    const shown = this.store.shown;
    for (const [id, row] of this.rows) {
      if (!shown.some((one) => one.id === id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    }
    let last = null;
    for (const question of shown) {
      const row = this.rows.get(question.id) || this.make(question.id);
      this.fill(row, question);
      const next = last ? last.nextElementSibling : this.part.list.firstElementChild;
      if (next !== row.root) {
        const active = document.activeElement;
        this.part.list.insertBefore(row.root, next);
        if (row.root.contains(active) && document.activeElement !== active) active.focus();
      }
      last = row.root;
    }
    this.drawAround(shown);
  }

  drawAround(shown) {
    const { view } = this.store;
    for (const tab of this.tabs) tab.querySelector("[data-count]").textContent = String(this.store.countOf(tab.dataset.tab));
    const nothing = view.q ? "empty-search" : { new: "empty-new", mine: "empty-mine" }[view.tab] || "empty";
    put(this.part.empty, shown.length ? "" : say(nothing));
    this.part.pages.hidden = view.pages < 2;
    this.part.page.textContent = say("page", { page: view.page, pages: view.pages });
    this.part.pages.querySelector("[data-do=previous]").disabled = view.page <= 1;
    this.part.pages.querySelector("[data-do=next]").disabled = view.page >= view.pages;
  }

  make(id) {
    const row = stamp("row");
    row.root.firstElementChild.addEventListener("click", () => this.open(id, true));
    this.rows.set(id, row);
    return row;
  }

  fill({ root, part }, question) {
    const button = root.firstElementChild;
    if (question.id === this.openId) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    put(part.name, question.author.name);
    put(part.asked, asked(question));
    put(part.text, question.edited_text || question.text);
    part.priority.hidden = !question.is_priority;
    const mixed = this.store.view.tab !== question.state;
    put(part.state, mixed ? say(`state-${question.state}`) : "");
    const claim = this.store.claim(question);
    put(part.claim, claim ? (claim.mine ? say("on-it-me") : say("on-it", { name: claim.name })) : "");
    part.claim.classList.toggle("dk-mine", Boolean(claim && claim.mine));
    part.draft.hidden = !this.drafts.has(question.id);
    put(part.votes, question.votes ? say("votes", { n: question.votes }) : "");
  }
}
