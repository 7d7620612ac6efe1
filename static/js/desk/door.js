// Who waits at the door: one tap for each. Nothing is shown as done before the server has said so.

import { country, put, Refused, say, stamp, timeOfDay } from "./page.js";

export class Door {
  constructor({ part, requests, address, toast, shown }) {
    Object.assign(this, { part, requests, address, toast });
    this.rows = new Map(); // by request: a row stays the same element, so that the focus stays in it
    this.busy = new Set();
    this.panel = part.waiting.closest("details");
    this.panel.addEventListener("toggle", () => this.again());
    if (shown) this.show(shown);
  }

  /** A list that nobody looks at is not asked for. */
  async again() {
    if (!this.panel.open) return;
    try {
      this.show(await this.requests.send("GET", this.address));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }

  show({ pending, approved, capacity, results }) {
    const here = new Set(results.map((one) => one.id));
    for (const [id, { root }] of this.rows) {
      if (here.has(id)) continue;
      const next = root.contains(document.activeElement) && (root.nextElementSibling || root.previousElementSibling);
      root.remove();
      this.rows.delete(id);
      if (next) next.querySelector("button").focus();
      else if (next === null) this.panel.querySelector("summary").focus();
    }
    for (const one of results) {
      if (!this.rows.has(one.id)) this.rows.set(one.id, this.row(one));
      const row = this.rows.get(one.id);
      put(row.part.duplicate, one.duplicate ? say("door-duplicate", { reason: one.duplicate }) : "");
      row.root.classList.toggle("dk-flagged", Boolean(one.duplicate));
    }
    results.forEach((one, place) => {
      const { root } = this.rows.get(one.id);
      const there = this.part.waiting.children[place];
      if (there !== root) this.part.waiting.insertBefore(root, there || null);
    });
    put(this.part.door, say("door-figures", { pending, approved, capacity }));
    put(this.part["door-pending"], pending || "");
    put(this.part["door-more"], pending > results.length ? say("door-more", { n: pending - results.length }) : "");
    put(this.part["door-nobody"], pending ? "" : say("door-nobody"));
  }

  row(one) {
    const { root, part } = stamp("waiting");
    put(part.name, one.name);
    put(part.about, `${one.email} · ${country(one.country)} · ${timeOfDay(one.at)}`);
    put(part.council, `${one.council} · ${one.number}`);
    for (const button of root.querySelectorAll("[data-door]")) {
      button.setAttribute("aria-label", say(`door-${button.dataset.door}`, { name: one.name }));
      button.addEventListener("click", () => this.decide(button.dataset.door, one));
    }
    return { root, part };
  }

  /** Letting in makes an account and cannot be taken back here; turning away can. */
  async decide(what, one) {
    if (this.busy.has(one.id)) return;
    this.busy.add(one.id);
    try {
      this.show(await this.requests.send("POST", `${this.address}${one.id}/${what}/`));
      const back = what === "deny" ? () => this.decide("put-back", one) : null;
      this.toast.show(say(`done-door-${what}`, { name: one.name }), back);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(say("door-refused", { name: one.name, why: refused.detail }));
      await this.again();
    } finally {
      this.busy.delete(one.id);
    }
  }
}
