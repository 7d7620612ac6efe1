// The panel for quality, speed and captions: radio buttons, under the picture on a phone and over it on a wide screen.

import { say } from "./words.js";

export class Settings {
  constructor({ player, parts, source, choices }) {
    Object.assign(this, { player, parts, source, choices });
    parts["audio-choice"].hidden = !source.sources.audio || source.kind === "mp4";
    parts["captions-choice"].hidden = !player.captionTracks.length;
    parts.settings.addEventListener("change", (event) => this.choose(event.target));
    parts.settings.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.close();
      event.stopPropagation();
    });
    source.addEventListener("qualities", () => this.listQualities());
    source.addEventListener("level", (event) => { this.height = event.detail.height; this.show(); });
    player.addEventListener("chosen", () => this.show());
    // In full screen only what is inside the stage can be seen.
    player.addEventListener("fullscreen", (event) => {
      (event.detail ? parts.stage : player.root).insertBefore(parts.settings, event.detail ? parts.controls : parts.announcer);
    });
    this.show();
  }

  choose({ name, value }) {
    if (name === "player-quality") this.player.setQuality(value);
    if (name === "player-speed") this.player.setRate(Number(value));
    if (name === "player-captions") this.player.setCaptions(value);
  }

  toggle() {
    if (this.parts.settings.hidden) this.open();
    else this.close();
  }

  open() {
    this.parts.settings.hidden = false;
    this.parts["settings-button"].setAttribute("aria-expanded", "true");
    this.parts.settings.querySelector("input:checked").focus();
  }

  close() {
    this.parts.settings.hidden = true;
    this.parts["settings-button"].setAttribute("aria-expanded", "false");
    this.parts["settings-button"].focus();
  }

  /** The heights this video has, best first, between "automatic" and "save data". */
  listQualities() {
    const { qualities } = this.parts;
    for (const old of qualities.querySelectorAll("[data-height]")) old.remove();
    const before = qualities.querySelector("[value=save]").closest("label");
    for (const { height } of this.source.levels) {
      const label = document.createElement("label");
      label.dataset.height = String(height);
      const input = document.createElement("input");
      input.type = "radio";
      input.name = "player-quality";
      input.value = String(height);
      const text = document.createElement("span");
      text.textContent = `${height}p`;
      label.append(input, text);
      qualities.insertBefore(label, before);
    }
    this.parts["audio-choice"].hidden = !this.source.sources.audio || this.source.kind === "mp4";
    before.hidden = this.source.kind !== "hls";
    this.show();
  }

  show() {
    this.check("player-quality", this.choices.get("quality"), "auto");
    this.check("player-speed", String(this.choices.get("rate")), "1");
    this.check("player-captions", this.choices.get("captions"), "");
    this.parts.chosen.textContent = [this.speedText, this.qualityText].filter(Boolean).join(" · ");
  }

  check(name, value, otherwise) {
    const inputs = Array.from(this.parts.settings.querySelectorAll(`input[name=${name}]`));
    const chosen = inputs.find((input) => input.value === value) || inputs.find((input) => input.value === otherwise);
    if (chosen) chosen.checked = true;
  }

  get speedText() {
    const rate = this.choices.get("rate");
    return rate === 1 ? "" : `${rate}×`;
  }

  get qualityText() {
    if (this.source.kind !== "hls") return "";
    const quality = this.choices.get("quality");
    if (this.source.isAudioOnly) return say("sound-only");
    if (quality === "save") return say("save-data");
    // Isolated: beside Arabic letters the "p" would change places with the number.
    const height = this.height ? `\u2066${this.height}p\u2069` : "";
    const isFixed = this.source.levels.some((level) => String(level.height) === quality);
    return isFixed ? height : [say("automatic"), height].filter(Boolean).join(" ");
  }
}
