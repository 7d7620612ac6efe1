// The desk by keyboard alone. Keys rest while somebody types, chooses, or answers a question of the page.

const KEPT = "desk-keys";

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}

export class Keyboard {
  /** `acts` has a function for each key. */
  constructor({ acts, help }) {
    this.acts = acts;
    this.help = help;
    this.box = help.querySelector("[data-part=keys-on]");
    this.box.checked = localStorage.getItem(KEPT) !== "off";
    this.box.addEventListener("change", () => localStorage.setItem(KEPT, this.box.checked ? "on" : "off"));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest && event.target.closest("#desk form");
      if (form && event.target.localName === "textarea") {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") this.escape(event.target);
    else if (this.box.checked && !isTyping(event.target)) this.act(event);
  }

  act(event) {
    const act = this.acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    const isOutside = event.target !== document.body && !event.target.closest("[data-part=list]");
    if (event.key.startsWith("Arrow") && isOutside) return; // there they scroll, or belong to the thing with the focus
    event.preventDefault();
    act();
  }

  /** Out of a text first; then out of the form. */
  escape(target) {
    if (!target.closest || !target.closest("#desk")) return;
    if (isTyping(target)) this.acts.leave(target);
  }
}
