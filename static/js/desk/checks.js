// Checks within the webinar, at the desk: the server draws them, as on the stage, and its buttons are pressed from here.

import { Fragment } from "../stage/fragment.js";

const EVERY_MILLISECONDS = 4000; // answers come in by the second, and no event says so

export class Checks {
  /** No panel: the webinar has no checks. */
  constructor({ root }) {
    const place = root.querySelector("[data-checks]");
    if (!place) return;
    this.fragment = new Fragment({ place, url: place.dataset.checks, every: EVERY_MILLISECONDS });
    place.addEventListener("submit", (event) => this.send(event));
    this.fragment.start();
    this.fragment.refresh();
  }

  again() {
    if (this.fragment) this.fragment.refresh();
  }

  send(event) {
    event.preventDefault();
    const { target, submitter } = event;
    submitter.disabled = true;
    const body = new FormData(target);
    body.set(submitter.name, submitter.value);
    this.fragment.ask({ method: "POST", body }).then((isDone) => {
      if (!isDone) submitter.disabled = false;
    });
  }
}
