// The picture and the sound: hls.js, else the browser's own HLS, else the MP4; recovery from everything that passes.

import { Backoff } from "./backoff.js";
import { isFinal } from "./session.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";
const REFUSALS_IN_A_ROW = 3;
const MEDIA_REPAIRS = 3;

export class Source extends EventTarget {
  /** Events: `qualities`, `stalled` (the network), `recovered`, `failed` ({reason: "refused" | "broken"}). */
  constructor({ video, sources, renew, quality }) {
    super();
    Object.assign(this, { video, sources, renew, quality });
    this.backoff = new Backoff({ base: 1500, most: 20000 });
    this.kind = this.best();
    this.target = null;
    this.levels = [];
    this.refusals = 0;
    this.repairs = 0;
    this.hls = null;
    this.online = () => this.again && this.again();
    window.addEventListener("online", this.online);
    for (const name of ["playing", "seeked", "canplay", "timeupdate"]) video.addEventListener(name, () => this.arrive());
    video.addEventListener("error", () => this.elementFailed());
    video.addEventListener("loadedmetadata", () => this.kind !== "hls" && this.place());
    video.addEventListener("playing", () => this.settle());
    // Attaching a source anew pauses the element; what the doctor wants is kept here meanwhile.
    this.wantsToPlay = false;
    this.isSwitching = false;
    video.addEventListener("play", () => { this.wantsToPlay = true; });
    video.addEventListener("pause", () => { this.wantsToPlay = this.wantsToPlay && this.isSwitching; });
    video.addEventListener("canplay", () => { this.isSwitching = false; });
  }

  /** Chromium says "maybe" to HLS without doing it as well as hls.js: ask hls.js first. */
  best() {
    if (this.sources.hls && window.Hls && window.Hls.isSupported()) return "hls";
    if (this.sources.hls && this.video.canPlayType(HLS_TYPE)) return "native";
    return "mp4";
  }

  /** Of the timeline that beats are about; null while it is not known. */
  get seconds() {
    return this.video.currentTime;
  }

  /** Where to go on after the stream was attached anew. */
  get resumeFrom() {
    return this.position;
  }

  get isLoaded() {
    return this.loaded === true;
  }

  /** The network failed and the next attempt is waited for; what is buffered may still be playing. */
  get isCutOff() {
    return Boolean(this.again);
  }

  /** Where the doctor is, also while a newly attached stream still stands at its beginning. */
  get position() {
    return this.target === null ? this.video.currentTime : this.target;
  }

  get isAudioOnly() {
    return this.quality === "audio" && Boolean(this.sources.audio) && this.kind !== "mp4";
  }

  /** Of the picture that plays, per second; 0 where nobody says. */
  get kbit() {
    const level = this.hls && this.hls.levels[this.hls.currentLevel];
    return level && level.bitrate ? level.bitrate / 1000 : 0;
  }

  get address() {
    if (this.kind === "mp4") return this.sources.mp4;
    return this.isAudioOnly ? this.sources.audio : this.sources.hls;
  }

  /** `ready` settles when the files may be fetched; attaching before that keeps the doctor's click alive for `play()`. */
  load(position, ready = null) {
    this.loaded = true;
    this.target = position;
    if (this.kind === "hls") this.attachHls(position);
    if (ready) ready.then(() => this.fetch(), (error) => this.notGranted(error));
    else this.fetch();
  }

  /** A server that is being restarted answers 502 or 503: that is a reason to wait, not to give up. */
  notGranted(error) {
    if (isFinal(error)) this.fail("refused");
    else this.wait(() => this.retry());
  }

  fetch() {
    if (this.kind === "hls") {
      this.hls.loadSource(this.address);
      return;
    }
    this.video.src = this.address;
    this.video.load();
    if (this.wantsToPlay) this.play();
  }

  attachHls(position) {
    if (this.hls) this.hls.destroy();
    const Hls = window.Hls;
    const hls = new Hls(this.options(position));
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.describe());
    hls.on(Hls.Events.LEVEL_SWITCHED, (name, data) => this.report(data.level));
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.settle());
    hls.on(Hls.Events.ERROR, (name, data) => this.hlsFailed(hls, data));
    hls.attachMedia(this.video);
  }

  options(position) {
    return {
      startPosition: position,
      startLevel: 0,
      abrEwmaDefaultEstimate: 300000,
      capLevelToPlayerSize: true,
      maxBufferLength: 60,
      maxMaxBufferLength: 120,
      backBufferLength: 60,
      // AWS IVS answers everybody (*), which browsers refuse for requests with cookies.
      xhrSetup: (request, url) => {
        const { origin, hostname } = new URL(url, location.href);
        request.withCredentials = origin !== location.origin && !hostname.endsWith(".live-video.net");
      },
    };
  }

  place() {
    if (this.target !== null && Math.abs(this.video.currentTime - this.target) > 0.2) this.video.currentTime = this.target;
  }

  arrive() {
    if (this.target === null || this.video.readyState < 2 || this.video.seeking) return;
    if (Math.abs(this.video.currentTime - this.target) < 1) this.target = null;
    else this.place();
  }

  seek(seconds) {
    if (this.target !== null) this.target = seconds;
    if (this.video.readyState > 0) this.video.currentTime = seconds;
  }

  // Qualities

  describe() {
    if (!this.isAudioOnly) {
      const seen = new Set();
      this.levels = this.hls.levels
        .map((level, index) => ({ index, height: level.height, bitrate: level.bitrate }))
        .reverse()
        .filter(({ height }) => height && !seen.has(height) && seen.add(height));
    }
    this.apply();
    this.dispatchEvent(new CustomEvent("qualities"));
  }

  report(index) {
    const level = this.hls.levels[index];
    this.dispatchEvent(new CustomEvent("level", { detail: { height: (level && level.height) || 0 } }));
  }

  /** "auto", "save" (the smallest picture), "audio", or a height such as "480"; an unknown height is "auto". */
  choose(quality) {
    const wasAudio = this.isAudioOnly;
    this.quality = quality;
    if (!this.isLoaded) return;
    if (wasAudio !== this.isAudioOnly) this.reload();
    else this.apply();
  }

  apply() {
    if (!this.hls || this.isAudioOnly) return;
    const level = this.levels.find(({ height }) => String(height) === this.quality);
    this.hls.autoLevelCapping = this.quality === "save" ? 0 : -1;
    this.hls.config.capLevelToPlayerSize = this.quality !== "save";
    if (this.quality === "save") this.hls.nextLevel = 0;
    else this.hls.nextLevel = level ? level.index : -1;
  }

  reload() {
    this.isSwitching = true;
    this.load(this.resumeFrom);
    if (this.wantsToPlay && this.video.paused) this.play();
  }

  play() {
    this.wantsToPlay = true;
    const playing = this.video.play();
    if (playing) playing.catch((error) => this.dispatchEvent(new CustomEvent("refusedPlay", { detail: error.name })));
  }

  // Trouble

  hlsFailed(hls, data) {
    const status = data.response ? data.response.code : 0;
    const Hls = window.Hls;
    if (status === 401 || status === 403) {
      this.refused(data.fatal);
    } else if (data.fatal && data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      if (status === 404 || status === 410) this.fallBack();
      else this.wait(() => this.restart());
    } else if (data.fatal && data.type === Hls.ErrorTypes.MEDIA_ERROR && this.repairs < MEDIA_REPAIRS) {
      this.repairs += 1;
      hls.recoverMediaError();
    } else if (data.fatal) {
      this.fallBack();
    }
  }

  restart() {
    if (this.hls && this.hls.levels.length) this.hls.startLoad(this.resumeFrom);
    else if (this.hls) this.hls.loadSource(this.address);
    else this.reload();
  }

  /** With a new grant, after the old one was refused. */
  regain() {
    this.restart();
  }

  /** The grant ran out, mostly because the computer slept. A new one, then on from the same frame. */
  refused(isFatal) {
    this.stoppedByRefusal = this.stoppedByRefusal || isFatal;
    if (this.renewing || this.isStopped) return;
    if (this.refusals >= REFUSALS_IN_A_ROW) {
      this.fail("refused");
      return;
    }
    this.refusals += 1;
    this.renewing = true;
    this.renew().then(
      () => {
        this.renewing = false;
        if (this.stoppedByRefusal) this.regain();
        this.stoppedByRefusal = false;
      },
      (error) => {
        this.renewing = false;
        this.notGranted(error);
      },
    );
  }

  /** Until the browser says "online", or for a while, whichever is first; `again` may also be called by a button. */
  wait(work) {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    this.again = () => {
      clearTimeout(this.timer);
      this.again = null;
      work();
    };
    this.timer = setTimeout(() => this.again && this.again(), 500 + this.backoff.next());
    this.dispatchEvent(new CustomEvent("stalled"));
  }

  /** By the native element only a refusal and a broken file look the same: renew first, then give up on this form. */
  elementFailed() {
    const error = this.video.error;
    if (!error || this.kind === "hls" || !this.isLoaded) return;
    if (navigator.onLine === false || error.code === MediaError.MEDIA_ERR_NETWORK) {
      this.wait(() => this.reload());
    } else if (this.refusals < 1) {
      this.refused(true);
    } else {
      this.fallBack();
    }
  }

  fallBack() {
    this.target = this.position;
    this.isSwitching = true;
    if (this.hls) this.hls.destroy();
    this.hls = null;
    if (this.kind === "mp4" || !this.sources.mp4) {
      this.fail("broken");
      return;
    }
    this.kind = "mp4";
    this.refusals = 0;
    this.levels = [];
    this.dispatchEvent(new CustomEvent("qualities"));
    this.reload();
  }

  fail(reason) {
    this.hasFailed = true;
    this.dispatchEvent(new CustomEvent("failed", { detail: { reason } }));
  }

  /** Nobody may watch here any more: ask for nothing that would be refused. */
  stop() {
    this.isStopped = true;
    this.again = null;
    clearTimeout(this.timer);
    if (this.hls) this.hls.stopLoad();
  }

  /** The picture goes from the page. */
  destroy() {
    this.stop();
    window.removeEventListener("online", this.online);
    if (this.hls) this.hls.destroy();
    this.hls = null;
    this.loaded = false;
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** The doctor presses "Try again". */
  retry() {
    this.refusals = 0;
    this.repairs = 0;
    if (this.again) {
      this.again();
      return;
    }
    this.hasFailed = false;
    this.kind = this.best();
    this.isSwitching = true;
    this.load(this.resumeFrom, this.renew());
    this.play();
  }

  settle() {
    this.refusals = 0;
    this.backoff.reset();
    if (this.again) {
      clearTimeout(this.timer);
      this.again = null;
    }
    this.dispatchEvent(new CustomEvent("recovered"));
  }
}
