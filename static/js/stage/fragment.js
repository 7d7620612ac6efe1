// A part of the page that the server draws: fetched again when something happened, and never while somebody works in it.

const SOONEST_MILLISECONDS = 700;
// Differs every time and says nothing new: tokens of forms, and clocks that go on by themselves.
const CHANGING = /name="csrfmiddlewaretoken" value="[^"]*"|data-count(down|up)="\d+">[\d:]+</g;

export class Fragment {
  /** `place` is the element whose content is replaced; `every` also asks by the clock, in milliseconds. */
  constructor({ place, url = window.location.href, every = 0, changed = () => {}, gone = () => window.location.reload() }) {
    this.place = place;
    this.url = url;
    this.every = every;
    this.changed = changed;
    this.gone = gone;
    this.isAsking = false;
    this.wanted = false;
    this.last = 0;
    this.isPressed = false;
    place.addEventListener("pointerdown", () => { this.isPressed = true; });
    for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, () => setTimeout(() => this.released()));
  }

  /** A button that is replaced between press and release would not be clicked. */
  released() {
    this.isPressed = false;
    if (!this.late) return;
    const text = this.late;
    this.late = "";
    this.show(text);
  }

  start() {
    if (this.every) this.clock = setInterval(() => document.hidden || this.refresh(), this.every);
    this.shownAgain = () => document.hidden || this.refresh();
    document.addEventListener("visibilitychange", this.shownAgain);
  }

  /** What is shown stays; nothing is asked any more. */
  stop() {
    clearInterval(this.clock);
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.shownAgain);
    this.isStopped = true;
  }

  /** Soon: several things at once are one question. */
  refresh() {
    if (this.isStopped) return;
    if (this.isAsking) {
      this.wanted = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), Math.max(0, this.last + SOONEST_MILLISECONDS - Date.now()));
  }

  async ask(options = {}) {
    this.isAsking = true;
    try {
      const response = await fetch(this.url, Object.assign({ credentials: "same-origin" }, options, {
        headers: Object.assign({ "X-Fragment": "1" }, options.headers),
      }));
      if (response.status === 401 || response.status === 403 || response.status === 404) this.gone();
      else if (response.redirected) this.gone();  // to the sign-in page
      else if (response.ok) this.show(await response.text());
      return response.ok;
    } catch (error) {
      return false;  // the line is gone for a moment; the clock asks again
    } finally {
      this.isAsking = false;
      this.last = Date.now();
      if (this.wanted) {
        this.wanted = false;
        this.refresh();
      }
    }
  }

  /** Ticks, open details, and the place of the keyboard are kept. */
  show(text) {
    if (this.isPressed) {
      this.late = text;
      return;
    }
    const plain = text.replace(CHANGING, "");
    if (plain === this.shown) return;
    this.shown = plain;
    const ticked = new Set([...this.place.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
    const open = new Set([...this.place.querySelectorAll("details[open][id]")].map((one) => one.id));
    const active = document.activeElement;
    const mark = this.place.contains(active) ? [active.name, active.value, active.id] : null;
    this.place.innerHTML = text;
    for (const box of this.place.querySelectorAll("input[type=checkbox]")) box.checked = ticked.has(box.value);
    for (const one of this.place.querySelectorAll("details[id]")) one.open = open.has(one.id);
    if (mark) {
      const again = [...this.place.querySelectorAll("button, input, summary, a")].find(
        (one) => (mark[2] && one.id === mark[2]) || (one.name && one.name === mark[0] && one.value === mark[1]),
      );
      if (again) again.focus();
    }
    this.changed();
  }
}
