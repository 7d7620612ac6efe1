// The picture of a webinar on air: the end of a playlist that grows, and where in the programme each frame belongs.

import { Source } from "./source.js";

const AT_EDGE = -1;
const WATCH_MILLISECONDS = 1000;
// The playlist grows every two seconds; a presenter's line that was cut leaves it as it is.
const SILENT_MILLISECONDS = 8000;
// Nearer than this to what can be played at all is "live".
const NEAR_SECONDS = 5;

export class LiveSource extends Source {
  /** Events besides those of Source: `interrupted` (the presenter's line, not the doctor's), `resumed`. */
  constructor(options) {
    super(options);
    this.epoch = Date.parse(options.epoch);
    this.last = options.position;
    this.grownAt = 0;
    this.isInterrupted = false;
    this.watchdog = setInterval(() => this.watch(), WATCH_MILLISECONDS);
  }

  /** Program time: seconds since the first segment of the broadcast, by the dates in its playlist. No clock is asked. */
  get seconds() {
    const date = this.kind === "hls" ? this.hls && this.hls.playingDate : this.nativeDate;
    if (!date || Number.isNaN(date.getTime())) return null;
    this.last = Math.max(0, (date.getTime() - this.epoch) / 1000);
    return this.last;
  }

  /** Safari's own player: the date of its zero. It is blind to gaps; the server keeps what lies in one from counting. */
  get nativeDate() {
    const { video } = this;
    if (typeof video.getStartDate !== "function") return null;
    return new Date(video.getStartDate().getTime() + video.currentTime * 1000);
  }

  get position() {
    const now = this.seconds;
    return now === null ? this.last : now;
  }

  get resumeFrom() {
    return AT_EDGE;
  }

  // What can be played now, in seconds of the element

  get window() {
    const { seekable } = this.video;
    return seekable.length ? [seekable.start(0), seekable.end(seekable.length - 1)] : [0, 0];
  }

  get edge() {
    const target = this.hls && this.hls.liveSyncPosition;
    return target || Math.max(this.window[0], this.window[1] - 6);
  }

  get behind() {
    return Math.max(0, this.edge - this.video.currentTime);
  }

  get isAtEdge() {
    return this.behind < NEAR_SECONDS;
  }

  toEdge() {
    if (this.video.readyState > 0) this.video.currentTime = this.edge;
  }

  // Loading

  load(position, ready = null) {
    super.load(AT_EDGE, ready);
    this.target = null; // the edge moves: nothing to arrive at
  }

  /** AWS takes an address once, within the minute; the next loading has the latest. Ours stays the same. */
  readdress(address) {
    this.isSigned = /[?&]token=/.test(address);
    this.sources.hls = address;
  }

  /** What AWS has given out below a refused playlist is refused as well: from the first playlist again. */
  regain() {
    if (this.isSigned) this.reload();
    else super.regain();
  }

  options() {
    return Object.assign(super.options(AT_EDGE), { liveDurationInfinity: true, maxBufferLength: 30 });
  }

  attachHls(position) {
    super.attachHls(position);
    let end = -1;
    this.grownAt = performance.now();
    this.hls.on(window.Hls.Events.LEVEL_UPDATED, (name, { details }) => {
      if (details.edge > end) this.grownAt = performance.now();
      end = Math.max(end, details.edge);
    });
  }

  /** The first playlist is written a moment after the webinar is on air: not there is not yet there. */
  hlsFailed(hls, data) {
    const status = data.response ? data.response.code : 0;
    const isMissing = data.fatal && (status === 404 || status === 410);
    if (isMissing) this.wait(() => this.restart());
    else super.hlsFailed(hls, data);
  }

  /** There is no other form of a live picture. */
  fallBack() {
    this.fail("broken");
  }

  watch() {
    const { video } = this;
    const isStarved = this.isLoaded && this.wantsToPlay && !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    this.starvedAt = isStarved ? this.starvedAt || performance.now() : 0;
    const isSilent = performance.now() - (this.kind === "hls" ? this.grownAt : this.starvedAt) > SILENT_MILLISECONDS;
    const isInterrupted = isStarved && isSilent && !this.isCutOff && navigator.onLine !== false;
    if (isInterrupted === this.isInterrupted) return;
    this.isInterrupted = isInterrupted;
    this.dispatchEvent(new CustomEvent(isInterrupted ? "interrupted" : "resumed"));
  }

  destroy() {
    clearInterval(this.watchdog);
    super.destroy();
  }
}
