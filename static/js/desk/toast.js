// What was done, said politely, with a way back as long as it is on the screen.

import { partsOf } from "./page.js";

const STAYS_MILLISECONDS = 20000;
const GATHER_MILLISECONDS = 1200;

export class Toast {
  constructor(root) {
    this.part = partsOf(root);
    this.button = root.querySelector("[data-do=undo]");
    this.button.addEventListener("click", () => this.undo());
    root.querySelector("[data-do=close-toast]").addEventListener("click", () => this.hide());
    this.waiting = [];
  }

  show(text, back = null) {
    clearTimeout(this.timer);
    this.back = back;
    this.part.told.textContent = text;
    this.button.hidden = !back;
    this.part.toast.hidden = false;
    this.timer = setTimeout(() => this.hide(), STAYS_MILLISECONDS);
  }

  hide() {
    clearTimeout(this.timer);
    this.back = null;
    this.part.toast.hidden = true;
  }

  undo() {
    const back = this.back;
    this.hide();
    if (back) back();
  }

  /** For ears only. Several things within a second are said in one breath, `many` instead of each. */
  announce(text, many = null) {
    this.waiting.push({ text, many });
    clearTimeout(this.gathering);
    this.gathering = setTimeout(() => this.speak(), GATHER_MILLISECONDS);
  }

  speak() {
    const said = this.waiting;
    this.waiting = [];
    const crowd = said.filter((one) => one.many);
    const alone = said.filter((one) => !one.many).map((one) => one.text);
    if (crowd.length === 1) alone.push(crowd[0].text);
    else if (crowd.length) alone.push(crowd[0].many(crowd.length));
    this.part.announce.textContent = alone.join(" ");
  }
}
