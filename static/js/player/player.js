// The player's state and its controls. Everything a button does is a method here; keyboard.js and settings.js call them.

import { InPage } from "./inpage.js";
import { clock, say } from "./words.js";

const IDLE_MILLISECONDS = 3000;
const BUSY_MILLISECONDS = 400;
export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];

export class Player extends EventTarget {
  /** Events: `start` (the first play), `beforeseek`. `parts` are the elements named by `data-part`. */
  constructor({ root, parts, source, choices, duration }) {
    super();
    Object.assign(this, { root, parts, source, choices });
    this.video = parts.video;
    this.length = duration;
    this.isStarted = false;
    this.takeOver();
    this.listenToVideo();
    this.listenToPeople();
    this.applyChoices();
  }

  get duration() {
    const own = this.video.duration;
    return Number.isFinite(own) && own > 0 ? own : this.length;
  }

  /** Nothing left to show: only then is a lost connection something to interrupt a doctor for. */
  get isStarved() {
    return this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get position() {
    return this.source.isLoaded ? this.source.position : this.startAt;
  }

  /** The browser's controls go, and with them the sources that only they needed. */
  takeOver() {
    const { video, parts } = this;
    video.controls = false;
    video.removeAttribute("controls");
    for (const source of video.querySelectorAll("source")) source.remove();
    video.removeAttribute("src");
    video.load();
    parts.controls.hidden = false;
    parts.stage.tabIndex = -1;
    parts.fullscreen.hidden = false;
    this.inPage = new InPage(video);
    this.root.classList.add("is-enhanced", "is-paused");
  }

  applyChoices() {
    this.video.volume = Math.min(1, Math.max(0, this.choices.get("volume")));
    this.video.muted = this.choices.get("muted");
    this.setRate(this.choices.get("rate"));
    this.setCaptions(this.choices.get("captions"));
  }

  /** What to offer before the first play. */
  offer({ position, label, detail }) {
    this.startAt = position;
    this.parts["start-label"].textContent = label;
    this.parts["start-detail"].textContent = detail;
    this.parts.start.hidden = false;
    this.showTime();
  }

  // What people do

  begin(position) {
    this.isStarted = true;
    this.parts.start.hidden = true;
    this.startAt = position;
    this.dispatchEvent(new CustomEvent("start", { detail: { position } }));
  }

  play() {
    if (this.source.hasFailed) {
      this.source.retry();
      return;
    }
    if (!this.isStarted) this.begin(this.startAt);
    if (this.video.ended) this.seek(0);
    this.source.play();
  }

  pause() {
    this.video.pause();
  }

  toggle() {
    if (this.video.paused) this.play();
    else this.pause();
  }

  seek(seconds) {
    const target = Math.min(Math.max(0, seconds), Math.max(0, this.duration - 0.2));
    this.dispatchEvent(new CustomEvent("beforeseek"));
    if (this.isStarted) this.source.seek(target);
    else this.begin(target);
    this.showTime(target);
  }

  nudge(seconds) {
    this.seek(this.position + seconds);
    this.wake();
  }

  setRate(rate) {
    const speed = SPEEDS.includes(rate) ? rate : 1;
    this.video.defaultPlaybackRate = speed;
    this.video.playbackRate = speed;
    this.choices.set("rate", speed);
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  stepRate(step) {
    const at = SPEEDS.indexOf(this.choices.get("rate"));
    this.setRate(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + step))]);
    this.announce(say("speed", { rate: this.choices.get("rate") }));
  }

  setQuality(quality) {
    this.choices.set("quality", quality);
    this.source.choose(quality);
    this.parts["audio-only"].hidden = !this.source.isAudioOnly;
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  setVolume(volume) {
    this.video.volume = Math.min(1, Math.max(0, Math.round(volume * 20) / 20));
    this.video.muted = this.video.volume === 0;
  }

  stepVolume(step) {
    this.setVolume((this.video.muted ? 0 : this.video.volume) + step);
    this.announce(say("volume", { percent: Math.round(this.video.volume * 100) }));
  }

  mute() {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.video.volume = 0.5;
    if (this.video.muted) this.announce(say("muted"));
  }

  get captionTracks() {
    return Array.from(this.video.textTracks).filter((track) => track.kind === "captions" || track.kind === "subtitles");
  }

  /** An empty language is "off". */
  setCaptions(language) {
    let shown = "";
    for (const track of this.captionTracks) {
      const isShown = language !== "" && track.language === language && !shown;
      track.mode = isShown ? "showing" : "disabled";
      if (isShown) shown = language;
    }
    this.parts.captions.setAttribute("aria-pressed", String(shown !== ""));
    if (this.captionTracks.length) this.choices.set("captions", shown);
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  toggleCaptions() {
    const [first] = this.captionTracks;
    if (!first) return;
    const isOn = this.choices.get("captions") !== "";
    this.setCaptions(isOn ? "" : this.lastLanguage || first.language);
    if (!isOn) this.lastLanguage = this.choices.get("captions");
    this.announce(say(isOn ? "captions-off" : "captions-on"));
  }

  get isFull() {
    return Boolean(document.fullscreenElement || document.webkitFullscreenElement) || root(this).contains("is-filling");
  }

  /** The stage goes full screen, not the video: the name mark goes with it. An iPhone cannot; there it fills the window. */
  toggleFullscreen() {
    const { stage } = this.parts;
    const enter = stage.requestFullscreen || stage.webkitRequestFullscreen;
    const leave = document.exitFullscreen || document.webkitExitFullscreen;
    if (!enter) {
      root(this).toggle("is-filling");
      this.showFullscreen();
      return;
    }
    const done = (this.isFull ? leave.call(document) : enter.call(stage)) || Promise.resolve();
    done.catch((error) => console.info("No full screen:", error.message));
  }

  showFullscreen() {
    this.parts.fullscreen.setAttribute("aria-pressed", String(this.isFull));
    this.dispatchEvent(new CustomEvent("fullscreen", { detail: this.isFull }));
  }

  // What is shown

  listenToVideo() {
    const { video } = this;
    const on = (names, handler) => names.split(" ").forEach((name) => video.addEventListener(name, handler));
    on("play pause ended", () => this.showPlaying());
    on("timeupdate seeking durationchange progress loadedmetadata", () => this.showTime());
    on("waiting seeking", () => this.busy(true));
    on("playing seeked canplay pause", () => this.busy(false));
    on("volumechange", () => this.showVolume());
    on("ratechange", () => this.dispatchEvent(new CustomEvent("chosen")));
    for (const name of ["fullscreenchange", "webkitfullscreenchange"]) {
      document.addEventListener(name, () => this.showFullscreen());
    }
  }

  listenToPeople() {
    const { root, parts } = this;
    parts.video.addEventListener("click", () => this.tapped());
    parts.volume.addEventListener("input", () => this.setVolume(Number(parts.volume.value)));
    root.addEventListener("pointerdown", (event) => { this.pointer = event.pointerType; this.usesKeyboard = false; });
    root.addEventListener("pointermove", (event) => { this.pointer = event.pointerType; this.wake(); });
    root.addEventListener("keydown", () => { this.usesKeyboard = true; this.wake(); });
    root.addEventListener("focusin", () => this.wake());
  }

  /** A mouse click plays and pauses; the first touch only brings the controls back. */
  tapped() {
    const wasIdle = root(this).contains("is-idle");
    this.wake();
    this.parts.stage.focus({ preventScroll: true });
    if (this.pointer === "touch" || this.pointer === "pen") {
      if (!wasIdle && !this.video.paused) root(this).add("is-idle");
      return;
    }
    this.toggle();
  }

  /** Controls leave only while somebody watches with mouse or touch; keyboard and screen reader users keep them. */
  wake() {
    root(this).remove("is-idle");
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      const isPointing = this.pointer !== "touch" && this.parts.controls.querySelector(":hover") !== null;
      if (this.video.paused || this.usesKeyboard || isPointing || !this.parts.settings.hidden) return;
      root(this).add("is-idle");
    }, IDLE_MILLISECONDS);
  }

  showPlaying() {
    const isPaused = this.video.paused || this.video.ended;
    root(this).toggle("is-paused", isPaused);
    const { toggle } = this.parts;
    toggle.setAttribute("aria-label", isPaused ? toggle.dataset.labelPlay : toggle.dataset.labelPause);
    this.wake();
  }

  showTime(at = this.position) {
    this.parts.now.textContent = clock(at);
    this.dispatchEvent(new CustomEvent("time", { detail: at }));
  }

  showVolume() {
    const { video, parts } = this;
    const isMuted = video.muted || video.volume === 0;
    root(this).toggle("is-muted", isMuted);
    parts.mute.setAttribute("aria-label", isMuted ? parts.mute.dataset.labelUnmute : parts.mute.dataset.labelMute);
    parts.volume.value = String(isMuted ? 0 : video.volume);
    this.choices.set("volume", video.volume);
    this.choices.set("muted", video.muted);
  }

  /** Only a wait one can notice gets a spinner. */
  busy(isBusy) {
    clearTimeout(this.busyTimer);
    if (!isBusy) this.parts.busy.hidden = true;
    else this.busyTimer = setTimeout(() => { this.parts.busy.hidden = this.video.paused && !this.video.seeking; }, BUSY_MILLISECONDS);
  }

  announce(text) {
    this.parts.announcer.textContent = text;
  }

  /** A plain word over the picture and the one thing to do. `action`: "retry", "reload", "sign-in" or nothing. */
  notice(title, text, action = "") {
    const { parts } = this;
    parts["notice-title"].textContent = title;
    parts["notice-text"].textContent = text;
    for (const name of ["retry", "reload", "sign-in"]) parts[`notice-${name}`].hidden = name !== action;
    parts.notice.hidden = false;
    parts.start.hidden = true;
    parts.busy.hidden = true;
  }

  clearNotice() {
    this.parts.notice.hidden = true;
  }
}

function root(player) {
  return player.root.classList;
}
