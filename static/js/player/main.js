// Puts a player together, recorded or live: one object for each concern, and what they tell each other. live/page.js calls it.

import { Beats, holdSession } from "./beats.js";
import { Choices } from "./choices.js";
import { LiveBar, LivePlayer, LiveProgress } from "./live-player.js";
import { LiveSource } from "./live-source.js";
import { closeHelp, Keyboard, openHelp } from "./keyboard.js";
import { Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Progress } from "./progress.js";
import { Reports } from "./reports.js";
import { PlaySession } from "./session.js";
import { Settings } from "./settings.js";
import { Source } from "./source.js";
import { Sprite } from "./sprite.js";
import { Timeline } from "./timeline.js";
import { Watermark } from "./watermark.js";
import { Wire } from "./wire.js";
import { clock, duration, durationLeft, say } from "./words.js";

const NEAR_THE_END_SECONDS = 5;

function partsOf(root) {
  const parts = {};
  for (const element of root.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  return parts;
}

function offer(player, progress, position) {
  const unseen = progress.unseen;
  const detail = unseen ? say("unseen", { duration: durationLeft(unseen) }) : say("all-seen");
  if (!unseen) player.offer({ position: 0, label: say("again"), detail });
  else if (position < 1 && !progress.coverage.length) {
    player.offer({ position: 0, label: say("start"), detail: say("length", { duration: duration(progress.length) }) });
  } else player.offer({ position, label: say("continue", { time: clock(position) }), detail });
}

/** What the server or the network says, in the doctor's words. */
function explain({ player, beats, source, session, progress, onStale }) {
  const tell = (name, action, text = "") => player.notice(say(`${name}-title`), text || say(`${name}-text`), action);
  const over = (name, action, text) => {
    player.pause();
    tell(name, action, text);
  };
  let isOver = false;
  const end = () => {
    isOver = true;
    source.stop();
  };
  beats.addEventListener("bye", ({ detail: { reason } }) => {
    end();
    over(reason, ["not_enrolled", "removed"].includes(reason) ? "" : "sign-in");
  });
  source.addEventListener("interrupted", () => isOver || tell("interrupted", ""));
  source.addEventListener("resumed", () => isOver || player.isBlocked || player.clearNotice());
  session.addEventListener("refused", ({ detail: { status, detail } }) => {
    if (isOver) return;
    if (status === 409 && onStale()) return;
    end();
    if (status === 401) over("signed_out", "sign-in");
    else if (status === 404) over("not_enrolled", "");
    else over("refused", "reload", detail);
  });
  const tellIfLost = () => isOver || (source.isCutOff && player.isStarved && tell("lost", "retry"));
  source.addEventListener("stalled", tellIfLost);
  player.video.addEventListener("waiting", tellIfLost);
  source.addEventListener("failed", ({ detail: { reason } }) => isOver || over(reason, reason === "refused" ? "reload" : "retry"));
  source.addEventListener("refusedPlay", ({ detail: name }) => isOver || name !== "NotAllowedError" || player.announce(say("tap")));
  source.addEventListener("recovered", () => isOver || player.isBlocked || player.clearNotice());
  return {
    markAbused() {
      player.isBlocked = true;
      beats.suspend();
      progress.stopCounting();
      over("mark", "reload");
    },
  };
}

function watchMark({ parts, beats, notices }) {
  const watermark = new Watermark({ stage: parts.stage, mark: parts.mark });
  let isAbused = false;
  watermark.addEventListener("removed", () => beats.suspend());
  watermark.addEventListener("restored", () => isAbused || beats.resume());
  watermark.addEventListener("abused", () => {
    isAbused = true;
    notices.markAbused();
  });
  return watermark;
}

function listenToButtons({ root, page, player, settings, source, parts, next }) {
  const actions = {
    play: () => { player.play(); parts.stage.focus({ preventScroll: true }); },
    toggle: () => player.toggle(),
    back: () => player.nudge(-10),
    forward: () => player.nudge(10),
    mute: () => player.mute(),
    captions: () => player.toggleCaptions(),
    settings: () => settings.toggle(),
    "close-settings": () => settings.close(),
    help: () => openHelp(parts.help),
    "close-help": () => closeHelp(parts.help),
    fullscreen: () => player.toggleFullscreen(),
    retry: () => { player.clearNotice(); source.retry(); },
    "next-unseen": next,
    edge: () => player.toEdge(),
  };
  for (const area of [root, page]) {
    area.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && area.contains(button)) actions[button.dataset.do]();
    });
  }
}

function makeSource({ config, parts, session, quality }) {
  const options = { video: parts.video, sources: config.sources, renew: () => session.renew(), quality };
  if (config.phase !== "live") return new Source(options);
  return new LiveSource(Object.assign(options, { epoch: config.epoch, position: config.position }));
}

/** The bars and figures around the picture, which know how long it is or that nobody knows. */
function makeFace({ config, root, parts, source, choices, beats, length }) {
  if (config.phase === "live") {
    const player = new LivePlayer({ root, parts, source, choices, duration: 1 });
    const timeline = new LiveBar({ player, parts });
    return { player, progress: new LiveProgress({ player, beats, timeline, parts, coverage: config.coverage, length, required: Infinity }) };
  }
  const player = new Player({ root, parts, source, choices, duration: length });
  const sprite = config.sources.sprite ? new Sprite(config.sources.sprite) : null;
  const timeline = new Timeline({ player, parts, bar: parts.coverage, sprite });
  const { coverage, required } = config;
  return { player, progress: new Progress({ player, beats, timeline, parts, coverage, length, required, isDone: config.is_done }) };
}

/** Where the page names somebody who wants to know how well it plays. */
function makeReports({ root, config, player, source, session, wire }) {
  if (!root.dataset.reports) return null;
  const url = root.dataset.reports.replace("{webinar}", config.webinar);
  return new Reports({ player, source, session, wire, url, seen: config.coverage });
}

function offerFirst({ config, player, progress, beats, length }) {
  if (config.phase === "live") {
    player.offer({ position: 0, label: say("watch-live"), detail: say("live-now") });
    return;
  }
  if (config.start !== null) {
    const detail = progress.unseen ? say("unseen", { duration: durationLeft(progress.unseen) }) : say("all-seen");
    player.offer({ position: config.start, label: say("from", { time: clock(config.start) }), detail });
    // Loading the page again goes on where one is by then.
    player.addEventListener("start", () => history.replaceState(history.state, "", window.location.pathname), { once: true });
    return;
  }
  offer(player, progress, config.position);
  beats.addEventListener("leftover", ({ detail: { position } }) => {
    if (player.isStarted) return;
    offer(player, progress, position < length - NEAR_THE_END_SECONDS ? position : progress.next || 0);
  });
}

/**
 * `socket`: the page's, which may carry a room as well. `onStale` is asked when this phase is over for the server; true means
 * that the page will show another one. Answers with what the page needs of its player.
 */
export async function mount({ config, socket, wire, onStale = () => false }) {
  const root = document.getElementById("player");
  const page = document.getElementById("watch-progress");
  const parts = partsOf(document.getElementById("main"));
  const length = Math.max(1, Math.floor(config.duration + 0.5));
  const choices = Choices.open();
  const outbox = await Outbox.open(config.user);
  const { urls, webinar, position, phase } = config;
  const session = new PlaySession({ wire, url: urls.sessions, grantSeconds: config.grant_seconds, version: config.version });
  const source = makeSource({ config, parts, session, quality: choices.get("quality") });
  socket.hello = () => (session.id ? { t: "hello", session: session.id } : null);
  const beats = new Beats({ video: parts.video, source, session, outbox, socket, wire, urls, webinar, position, phase });
  const { player, progress } = makeFace({ config, root, parts, source, choices, beats, length });
  const settings = new Settings({ player, parts, source, choices });
  const notices = explain({ player, beats, source, session, progress, onStale });
  const next = () => {
    const at = progress.next;
    if (at === null) return;
    player.seek(at);
    player.play();
  };
  const watermark = watchMark({ parts, beats, notices });
  new Keyboard({ player, areas: [root, parts.coverage].filter(Boolean), help: parts.help, nextUnseen: next });
  listenToButtons({ root, page, player, settings, source, parts, next });

  player.addEventListener("beforeseek", () => beats.beforeSeek());
  player.addEventListener("start", ({ detail: { position: at } }) => {
    const opened = session.open();
    opened.catch((error) => console.info("No play session:", error.message));
    source.load(at, session.hasGrant ? null : opened);
    parts["audio-only"].hidden = !source.isAudioOnly;
  });
  session.addEventListener("opened", () => holdSession(session.id));
  session.addEventListener("granted", ({ detail: { live } }) => live && source.readdress(live));
  const reports = makeReports({ root, config, player, source, session, wire });
  offerFirst({ config, player, progress, beats, length });
  root.dataset.ready = "true";
  beats.deliverLeftovers(config.position);
  return { player, source, phase, stop: () => stopAll({ beats, reports, watermark, source, socket }) };
}

/** Before the picture goes from the page: what was watched is sent, and nothing goes on unseen. */
function stopAll({ beats, reports, watermark, source, socket }) {
  watermark.stop();
  if (reports) reports.finish();
  beats.finish();
  socket.hello = () => null;
  source.destroy();
}
