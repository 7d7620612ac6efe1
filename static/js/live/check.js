// Is this device ready? The picture by what the browser can, the line by fetching something real, the sound by asking.

import { say } from "../player/words.js";

const PROBE = "vendor/hls.light.min.js";
const PROBE_MILLISECONDS = 12000;
const SLOW_MBITS = 0.5;
const TONE_SECONDS = 1.2;

function canPlay() {
  const video = document.createElement("video");
  return Boolean((window.Hls && window.Hls.isSupported()) || video.canPlayType("application/vnd.apple.mpegurl"));
}

/** Mbit/s of one file of this site; null when no answer comes. */
async function measure() {
  const script = Array.from(document.scripts, (one) => one.src).find((src) => src.includes(PROBE.split("/")[1].split(".")[0]));
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PROBE_MILLISECONDS);
  const began = performance.now();
  try {
    const response = await fetch(script, { cache: "no-store", signal: abort.signal });
    const bytes = (await response.arrayBuffer()).byteLength;
    const [entry] = performance.getEntriesByName(script).slice(-1);
    const sent = (entry && entry.encodedBodySize) || bytes;
    return (sent * 8) / 1000 / Math.max(1, performance.now() - began);
  } catch (error) {
    console.info("The line was not measured:", error.message);
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function playTone() {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return false;
  const context = new Context();
  const tone = context.createOscillator();
  const volume = context.createGain();
  volume.gain.setValueAtTime(0.0001, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.2, context.currentTime + 0.1);
  volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + TONE_SECONDS);
  tone.frequency.value = 440;
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + TONE_SECONDS);
  tone.onended = () => context.close();
  return true;
}

export class Check {
  constructor({ root }) {
    this.root = root;
    root.hidden = false;
    const actions = {
      sound: () => this.sound(),
      heard: () => this.heard(true),
      silent: () => this.heard(false),
    };
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && actions[button.dataset.do]) actions[button.dataset.do]();
    });
    this.start();
  }

  async start() {
    this.show("picture", canPlay() ? "good" : "bad", say(canPlay() ? "check-good" : "check-picture-none"), canPlay() ? "" : say("check-picture-advice"));
    const speed = await measure();
    const shown = speed === null ? "" : speed.toFixed(speed < 10 ? 1 : 0);
    if (speed === null) this.show("line", "bad", say("check-line-none"), say("check-line-none-advice"));
    else if (speed < SLOW_MBITS) this.show("line", "slow", say("check-line-slow", { speed: shown }), say("check-line-slow-advice"));
    else this.show("line", "good", say("check-line-speed", { speed: shown }));
  }

  sound() {
    if (playTone()) {
      this.show("sound", "ask", say("check-sound-playing"));
      this.root.querySelector("[data-part=heard]").hidden = false;
    } else this.show("sound", "slow", say("check-sound-broken"), say("check-sound-advice"));
  }

  heard(isHeard) {
    this.root.querySelector("[data-part=heard]").hidden = true;
    if (isHeard) this.show("sound", "good", say("check-good"));
    else this.show("sound", "bad", say("check-sound-none"), say("check-sound-advice"));
    this.root.querySelector("[data-do=sound]").focus();
  }

  show(name, state, text, advice = "") {
    const row = this.root.querySelector(`[data-check=${name}]`);
    row.dataset.state = state;
    row.querySelector("[data-part=check-result]").textContent = text;
    const more = row.querySelector("[data-part=check-advice]");
    more.textContent = advice;
    more.hidden = !advice;
    this.root.querySelector("[data-part=check-live]").textContent = `${row.querySelector("b").textContent}: ${text}. ${advice}`;
  }
}
