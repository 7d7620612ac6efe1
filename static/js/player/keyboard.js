// Shortcuts, only while the focus is in the player: single letters must not fire for people who dictate or type elsewhere.

export class Keyboard {
  constructor({ player, areas, help, nextUnseen }) {
    Object.assign(this, { player, help, nextUnseen });
    for (const area of areas) area.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || this.help.open) return;
    const onControl = event.target.closest("button, a, input, label, [role=slider]");
    const action = this.actions(event.key, event.repeat)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // Space and the arrows belong to the control that has the focus.
    const isOwn = event.key === " " || event.key.startsWith("Arrow");
    if (!action || (onControl && isOwn)) return;
    event.preventDefault();
    action();
  }

  actions(key, isRepeated) {
    const { player } = this;
    const once = (action) => (isRepeated ? () => {} : action);
    return {
      " ": once(() => player.toggle()),
      k: once(() => player.toggle()),
      j: () => player.nudge(-10),
      l: () => player.nudge(10),
      ArrowLeft: () => player.nudge(-5),
      ArrowRight: () => player.nudge(5),
      ArrowUp: () => player.stepVolume(0.1),
      ArrowDown: () => player.stepVolume(-0.1),
      m: once(() => player.mute()),
      c: once(() => player.toggleCaptions()),
      f: once(() => player.toggleFullscreen()),
      n: once(() => this.nextUnseen()),
      "<": () => player.stepRate(-1),
      ">": () => player.stepRate(1),
      "?": once(() => openHelp(this.help)),
    };
  }
}

/** `showModal` also works over a full-screen stage; browsers without `<dialog>` get it in the page. */
export function openHelp(dialog) {
  if (typeof dialog.showModal === "function") dialog.showModal();
  else dialog.setAttribute("open", "");
}

export function closeHelp(dialog) {
  if (typeof dialog.close === "function") dialog.close();
  else dialog.removeAttribute("open");
}
