// The page of a webinar through all its states. It follows the room; when the state changes it fetches itself anew and takes
// over the parts that differ, so that nobody has to reload and a half-written question stays where it is.

import { socketAddress } from "../line.js";
import { askedToWait } from "../player/backoff.js";
import { mount } from "../player/main.js";
import { Socket } from "../player/socket.js";
import { Wire } from "../player/wire.js";
import { say } from "../player/words.js";
import { Check } from "./check.js";
import { startCountdowns } from "./countdown.js";
import { SharedLine } from "./line.js";
import { Held } from "./held.js";
import { drawMarks } from "./marks.js";
import { keepPresent } from "./meeting.js";
import { Panel } from "./panel.js";
import { Room } from "./room.js";

const SLOTS = ["head", "main", "lessons", "settings"];
// Thousands of pages must not ask in the same moment; nobody waits long for a page of a hundred people.
const PEOPLE_A_SECOND = 100;
const LONGEST_SPREAD = 8;
const DOORS_SPREAD = 10;
const AGAIN_MILLISECONDS = 5000;

function read(id, root = document) {
  const element = root.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

class WebinarPage {
  constructor() {
    this.config = read("page-config");
    const { urls, csrf, number, now } = this.config;
    this.wire = new Wire({ csrf });
    this.socket = new Socket({ url: socketAddress(urls.socket) });
    this.room = new Room({ eventsUrl: urls.events, since: number });
    this.line = new SharedLine({ socket: this.socket, room: this.room, now });
    this.panel = new Panel({ room: this.room, wire: this.wire, seconds: () => this.seconds });
    this.held = new Held({ room: this.room, seconds: () => this.seconds, tell: (text) => this.panel.tell(text) });
    this.people = 0;
    this.follow();
  }

  follow() {
    const { room } = this;
    room.addEventListener("state", ({ detail }) => this.compare(detail));
    room.addEventListener("presence", ({ detail }) => { this.people = detail.people; });
    room.addEventListener("event", ({ detail }) => this.heard(detail));
    room.addEventListener("reload", () => this.renewSoon(0, { restart: true }));
    room.addEventListener("bye", ({ detail: { reason } }) => this.gone(reason));
    document.addEventListener("click", (event) => this.clicked(event));
  }

  async show() {
    startCountdowns(document.getElementById("main"), () => this.line.now());
    this.check = document.getElementById("check") ? new Check({ root: document.getElementById("check") }) : null;
    keepPresent(document.getElementById("meeting"), this.wire);
    this.panel.show();
    this.waitForDates();
    const config = read("player-config");
    this.player = config
      ? await mount({ config, socket: this.socket, wire: this.wire, onStale: () => this.isStale() })
      : null;
    this.mark();
    this.showHeld();
    if (this.config.follows) this.line.start();
    if (this.mayBegin) this.player.player.play();
  }

  /**
   * The doctor waited for the live picture: it begins by itself where they have touched the page, since browsers let sound
   * begin only then. A recording that becomes ready an hour later does not.
   */
  get mayBegin() {
    const isLive = this.player !== null && this.player.phase === "live";
    return isLive && this.wasMoved && Boolean(navigator.userActivation && navigator.userActivation.hasBeenActive);
  }

  /** Where the doctor is in what plays: program time while live, else seconds of the recording. */
  get seconds() {
    return this.player && this.player.player.isStarted ? this.player.source.position : null;
  }

  // What makes the page change

  compare({ state, schedule, register }) {
    const { config } = this;
    const isSame = state === config.state && JSON.stringify(times(schedule)) === JSON.stringify(times(config.schedule));
    if (!isSame || Boolean(register) === config.has_place) this.renewSoon(this.spread);
  }

  heard({ kind, data }) {
    if (kind === "state") this.renewSoon(this.spread); // also where only the dates or the way of the picture have changed
    if (kind === "published") this.mark();
    if (kind === "restricted" && data.kind === "removed" && !("user" in data)) this.renewSoon(0);
  }

  mark() {
    if (this.player && this.player.phase !== "live") drawMarks(this.player.player.length);
  }

  get spread() {
    return Math.min(LONGEST_SPREAD, this.people / PEOPLE_A_SECOND);
  }

  showHeld() {
    const player = read("player-config");
    this.held.show({ lesson: this.config.lesson, stage: this.config.stage, isDone: Boolean(player && player.is_done) });
  }

  /** The doors open by the clock alone: no event says so. */
  waitForDates() {
    clearTimeout(this.dates);
    const { state, schedule } = this.config;
    if (state !== "scheduled" || !schedule.doors_open_at) return;
    const left = Date.parse(schedule.doors_open_at) - this.line.now();
    const day = 86400 * 1000;
    this.dates = setTimeout(() => (left > day ? this.waitForDates() : this.renewSoon(DOORS_SPREAD * Math.random())), Math.min(day, left + 500));
  }

  isStale() {
    if (!this.config.follows) return false;
    this.renewSoon(0);
    return true;
  }

  gone(reason) {
    if (reason === "removed") this.renewSoon(0);
    else if (!this.player) this.panel.tell(say(`bye-${reason}`));
  }

  renewSoon(seconds, { restart = false } = {}) {
    this.mustRestart = this.mustRestart || restart;
    if (this.renewing) return;
    this.renewing = setTimeout(() => this.renew(), Math.random() * seconds * 1000);
  }

  async renew() {
    let fresh = null;
    let asked = 0;
    try {
      const response = await fetch(location.pathname, { credentials: "same-origin", headers: { Accept: "text/html" } });
      asked = askedToWait(response);  // with a page that is not this one
      fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      // A parsed document runs no script, so what is for such browsers would come alive in this page.
      for (const one of fresh.querySelectorAll("noscript")) one.remove();
    } catch (error) {
      console.info("The page could not be fetched:", error.message);
    }
    this.renewing = null;
    if (fresh && fresh.querySelector("[data-before-start]")) location.reload();  // something is to be read first
    else if (fresh && read("page-config", fresh)) await this.become(fresh);
    else this.renewing = setTimeout(() => this.renew(), Math.max(asked, AGAIN_MILLISECONDS) + AGAIN_MILLISECONDS * Math.random());
  }

  // Becoming another state

  async become(fresh) {
    const config = read("page-config", fresh);
    const isOther = config.stage !== this.config.stage;
    const differs = (name) => JSON.stringify(config[name]) !== JSON.stringify(this.config[name]);
    const mustShow = isOther || differs("schedule") || differs("has_place");
    const wasState = this.config.state;
    this.config = config;
    if (isOther && this.player) this.player.stop();
    if (mustShow) {
      this.swap(fresh, isOther ? SLOTS : SLOTS.filter((name) => !(name === "main" && this.player)));
      this.swapRoom(fresh);
      document.title = fresh.title;
    }
    this.panel.renew(read("room-config", fresh));
    this.swap(fresh, ["held"]);
    this.showHeld();
    if (this.mustRestart) this.line.resume(config.number);
    this.mustRestart = false;
    if (!mustShow) return;
    this.announce(wasState === config.state ? "changed" : config.state);
    this.wasMoved = true;
    if (isOther) await this.show();
    else startCountdowns(document.getElementById("main"), () => this.line.now());
  }

  swap(fresh, names) {
    for (const name of names) {
      const slot = document.querySelector(`[data-slot=${name}]`);
      const hadFocus = slot.contains(document.activeElement);
      slot.replaceChildren(...Array.from(fresh.querySelector(`[data-slot=${name}]`).childNodes, (node) => document.importNode(node, true)));
      if (hadFocus) document.getElementById("main").focus({ preventScroll: true });
    }
    document.querySelector("[data-part=columns]").className = fresh.querySelector("[data-part=columns]").className;
  }

  /** A room that stays keeps its forms, with what stands in them. */
  swapRoom(fresh) {
    const slot = document.querySelector("[data-slot=room]");
    const next = fresh.getElementById("room");
    const now = document.getElementById("room");
    if (now && next) {
      now.dataset.stage = next.dataset.stage;
      now.querySelector("#room-title").textContent = next.querySelector("#room-title").textContent;
    } else {
      slot.replaceChildren(...(next ? [document.importNode(next, true)] : []));
    }
  }

  announce(name) {
    const known = ["doors_open", "live", "ended", "recording_ready", "cancelled"];
    document.getElementById("page-live").textContent = say(`page-${known.includes(name) ? name : "changed"}`);
  }

  /** Chapters and answers lead into the picture. */
  clicked(event) {
    const button = event.target.closest("[data-do=jump]");
    if (!button || !this.player || this.player.phase === "live") return;
    const { player } = this.player;
    player.seek(Number(button.dataset.seconds));
    player.play();
    player.parts.stage.scrollIntoView({ block: "nearest" });
    player.parts.stage.focus({ preventScroll: true });
  }
}

/** The same moment may be written in two zones. */
function times(schedule) {
  return Object.entries(schedule).map(([name, at]) => [name, at && Date.parse(at)]).sort();
}

new WebinarPage().show();
