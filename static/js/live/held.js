// Checks within the webinar: cards that lead to a tab of their own, so that sound and picture go on here. In the room they
// come and go with its events; beside a recording each appears at the second at which it was asked.

import { say } from "../player/words.js";

const LOOK_MILLISECONDS = 500;

export class Held {
  /** `seconds()`: where the doctor's player is, or null. `tell(text)` says it to screen readers. */
  constructor({ room, seconds, tell }) {
    Object.assign(this, { seconds, tell });
    room.addEventListener("event", ({ detail: { kind, data } }) => kind === "check" && this.change(data));
    setInterval(() => this.uncover(), LOOK_MILLISECONDS);
  }

  /** Takes over the cards that stand on the page now. `isDone`: who has seen it all need not wait for any second. */
  show({ lesson, stage, isDone }) {
    window.name = `lesson-${lesson}`; // the way back from a check leads to this very tab
    this.root = document.querySelector("[data-part=held]");
    this.stage = stage;
    for (const card of this.cards()) card.hidden = card.dataset.at !== undefined && !isDone;
    this.uncover();
  }

  cards() {
    return this.root ? Array.from(this.root.querySelectorAll("[data-id]")) : [];
  }

  /** Once it was shown it stays, also for who goes back. */
  uncover() {
    const now = this.seconds();
    if (now === null) return;
    for (const card of this.cards()) {
      if (!card.hidden || now < Number(card.dataset.at)) continue;
      card.hidden = false;
      this.say(card.querySelector("[data-field=title]").textContent);
    }
  }

  change({ id, title, questions, removed }) {
    if (!this.root || this.stage === "recorded") return;
    const known = this.cards().find((card) => card.dataset.id === String(id));
    if (removed && known) known.remove();
    if (removed || known) return;
    const card = this.root.querySelector("template").content.firstElementChild.cloneNode(true);
    card.dataset.id = String(id);
    card.querySelector("[data-field=title]").textContent = title;
    card.querySelector("[data-field=questions]").textContent = say(questions === 1 ? "check-question" : "check-questions", { questions });
    const link = card.querySelector("[data-field=link]");
    if (link) Object.assign(link, { href: `/lessons/${id}/`, target: `lesson-${id}` });
    this.root.append(card);
    this.say(title);
  }

  say(title) {
    this.tell(say("told-check", { text: title }));
  }
}
