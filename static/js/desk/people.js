// Muting and removing people, letting them back, and who is here.

import { ask } from "./ask.js";
import { country, put, Refused, say, stamp } from "./page.js";

const SEARCH_MILLISECONDS = 300;
const UNDO = { mute: "unmute", unmute: "mute", remove: "let-back", "let-back": "remove" };

export class People {
  constructor({ part, requests, address, toast, lanes, shown }) {
    Object.assign(this, { part, requests, address, toast, lanes });
    const form = part["people-search"];
    this.field = form.elements.q;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.look();
    });
    this.field.addEventListener("input", () => this.lookSoon());
    part["people-list"].closest("details").addEventListener("toggle", (event) => event.target.open && this.look());
    this.show(shown);
  }

  lookSoon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.look(), SEARCH_MILLISECONDS);
  }

  async look() {
    clearTimeout(this.typing);
    const asked = this.field.value;
    try {
      const found = await this.requests.send("GET", `${this.address}?${new URLSearchParams({ q: asked })}`);
      if (asked === this.field.value) this.show(found);
    } catch (refused) {
      this.toast.show(refused.detail);
    }
  }

  show(found) {
    const nobody = this.field.value.trim() ? say("people-none") : say("people-nobody");
    this.part["people-found"].textContent = found.count ? say("people-count", { n: found.count }) : nobody;
    this.part["people-list"].replaceChildren(...found.results.map((person) => this.row(person)));
  }

  row(person) {
    const { root, part } = stamp("person");
    put(part.name, person.name);
    put(part.country, country(person.country));
    for (const fact of ["here", "registered", "muted", "removed"]) {
      if (!person[fact]) continue;
      const chip = Object.assign(document.createElement("span"), { className: "dk-chip", textContent: say(`person-${fact}`) });
      if (fact === "muted" || fact === "removed") chip.classList.add("dk-warm");
      part.chips.append(chip);
    }
    const fits = { mute: !person.muted, unmute: person.muted, remove: !person.removed, "let-back": person.removed };
    for (const button of root.querySelectorAll("[data-person]")) {
      button.hidden = !fits[button.dataset.person];
      button.addEventListener("click", () => this.act(button.dataset.person, person));
    }
    part.lane.value = this.lanes.levelOf(person.id);
    part.lane.addEventListener("change", () => this.lanes.setPerson(person.id, part.lane.value));
    return root;
  }

  /** Asks first where it takes something away from somebody. */
  async act(what, { id, name }) {
    let reason = "";
    if (what === "mute" || what === "remove") {
      const title = say(`${what}-title`, { name });
      reason = await ask({ title, text: say(`${what}-text`), yes: say(what), reason: true });
      if (reason === null) return;
    }
    await this.send(what, { id, name }, reason);
  }

  async send(what, { id, name }, reason) {
    try {
      await this.requests.post(`people/${id}/${what}/`, reason ? { reason } : {});
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
      return;
    }
    this.toast.show(say(`done-${what}`, { name }), () => this.send(UNDO[what], { id, name }, ""));
    this.lookSoon();
  }
}
