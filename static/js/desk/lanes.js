// Who may write and read: for doctors and presenters as a whole, and for single people.

import { put, Refused, say, stamp } from "./page.js";

export class Lanes {
  constructor({ part, requests, toast, settings }) {
    Object.assign(this, { part, requests, toast });
    this.selects = [...part.lanes.querySelectorAll("select")];
    for (const select of this.selects) {
      const { lane, lanePart } = select.dataset;
      select.addEventListener("change", () => this.set({ lane, part: lanePart, level: select.value || null }));
    }
    this.show(settings);
  }

  show(settings) {
    this.settings = settings;
    for (const select of this.selects) {
      const { lane, lanePart } = select.dataset;
      const row = settings.find((one) => one.part === lanePart && one.lane === lane);
      select.value = row ? row.level : "";
    }
    const people = settings.filter((one) => one.person);
    this.part["lane-people"].replaceChildren(...people.map((one) => this.row(one)));
  }

  row(one) {
    const { root, part } = stamp("exception");
    put(part.name, one.person.name);
    put(part.level, `${say(`lane-name-${one.lane}`)}: ${say(`level-${one.level}`)}`);
    part.reset.addEventListener("click", () => this.set({ lane: one.lane, person: one.person.id, level: null }));
    return root;
  }

  levelOf(personId) {
    const row = this.settings.find((one) => one.person && one.person.id === personId && one.lane === "attendee");
    return row ? row.level : "";
  }

  setPerson(personId, level) {
    return this.set({ lane: "attendee", person: personId, level: level || null });
  }

  async set(body) {
    try {
      this.show((await this.requests.put("lanes/", body)).results);
      this.toast.show(say("done-lane"));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.show(this.settings);
      this.toast.show(refused.detail);
    }
  }

  /** Another desk has changed something. */
  async again() {
    try {
      this.show((await this.requests.get("lanes/")).results);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }
}
