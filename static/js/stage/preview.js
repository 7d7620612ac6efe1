// The presenter's own look at what doctors get: the same files, the same short grant, no beats.

import { Backoff } from "../player/backoff.js";

const SEEN_SECONDS = 5;

export class Preview {
  /** `seen` is called once, when the picture has run for some seconds. */
  constructor({ place, seen }) {
    this.place = place;
    this.video = place.querySelector("[data-screen]");
    this.dark = place.querySelector("[data-dark]");
    this.seen = seen;
    this.source = "";
    this.backoff = new Backoff({ base: 1500, most: 8000 });
    this.video.addEventListener("timeupdate", () => this.moved());
  }

  /** The address of what is on air now; empty: nothing. */
  follow(source) {
    if (source === this.source) return;
    this.source = source;
    this.ran = 0;
    this.last = null;
    this.isSeen = false;
    this.stop();
    this.dark.hidden = Boolean(source);
    if (source) this.load();
  }

  load() {
    const Hls = window.Hls;
    if (Hls && Hls.isSupported()) {
      this.hls = new Hls({ liveSyncDurationCount: 3, backBufferLength: 10, capLevelToPlayerSize: true });
      this.hls.on(Hls.Events.ERROR, (name, data) => data.fatal && this.again());
      this.hls.on(Hls.Events.MANIFEST_PARSED, () => this.play());
      this.hls.loadSource(this.source);
      this.hls.attachMedia(this.video);
    } else {
      this.video.src = this.source;
      this.play();
    }
  }

  play() {
    this.backoff.reset();
    const playing = this.video.play();
    if (playing) playing.catch(() => {});  // a browser that wants a tap first shows its button
  }

  /** The first playlist may not be there yet; an interruption ends the files for a while. */
  again() {
    const source = this.source;
    this.stop();
    this.timer = setTimeout(() => source === this.source && source && this.load(), 1000 + this.backoff.next());
  }

  stop() {
    clearTimeout(this.timer);
    if (this.hls) this.hls.destroy();
    this.hls = null;
    this.video.removeAttribute("src");
  }

  moved() {
    const at = this.video.currentTime;
    if (this.last !== null && at > this.last && at - this.last < 2) this.ran += at - this.last;
    this.last = at;
    if (this.isSeen || this.ran < SEEN_SECONDS) return;
    this.isSeen = true;
    this.seen();
  }

  form() {
    const body = new FormData();
    body.set("do", "seen");
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    return body;
  }
}
