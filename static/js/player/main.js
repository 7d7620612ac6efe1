// Puts the watch page together: configuration from the page, one object for each concern, and what they tell each other.

import { Beats, holdSession } from "./beats.js";
import { Choices } from "./choices.js";
import { closeHelp, Keyboard, openHelp } from "./keyboard.js";
import { Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Progress } from "./progress.js";
import { PlaySession } from "./session.js";
import { Settings } from "./settings.js";
import { Socket } from "./socket.js";
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

function socketUrl(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
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
function explain({ player, beats, source, session, progress }) {
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
    over(reason, reason === "not_enrolled" ? "" : "sign-in");
  });
  session.addEventListener("refused", ({ detail: { status, detail } }) => {
    if (isOver) return;
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
  };
  for (const area of [root, page]) {
    area.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && area.contains(button)) actions[button.dataset.do]();
    });
  }
}

async function main() {
  const config = JSON.parse(document.getElementById("player-config").textContent);
  const root = document.getElementById("player");
  const page = document.getElementById("watch-progress");
  const parts = partsOf(document);
  const length = Math.max(1, Math.floor(config.duration + 0.5));
  const choices = Choices.open();
  const wire = new Wire({ csrf: config.csrf });
  const outbox = await Outbox.open(config.user);
  const session = new PlaySession({ wire, url: config.urls.sessions, grantSeconds: config.grant_seconds });
  const source = new Source({
    video: parts.video,
    sources: config.sources,
    renew: () => session.renew(),
    quality: choices.get("quality"),
  });
  const socket = new Socket({ url: socketUrl(config.urls.socket), hello: () => ({ t: "hello", session: session.id }) });
  const beats = new Beats({
    video: parts.video, source, session, outbox, socket, wire,
    urls: config.urls, webinar: config.webinar, position: config.position,
  });
  const player = new Player({ root, parts, source, choices, duration: length });
  const sprite = config.sources.sprite ? new Sprite(config.sources.sprite) : null;
  const timeline = new Timeline({ player, parts, bar: parts.coverage, sprite });
  const progress = new Progress({
    player, beats, timeline, parts, coverage: config.coverage, length, required: config.required,
    isDone: config.is_done,
  });
  const settings = new Settings({ player, parts, source, choices });
  const notices = explain({ player, beats, source, session, progress });
  const next = () => {
    const at = progress.next;
    if (at === null) return;
    player.seek(at);
    player.play();
  };
  watchMark({ parts, beats, notices });
  new Keyboard({ player, areas: [root, parts.coverage], help: parts.help, nextUnseen: next });
  listenToButtons({ root, page, player, settings, source, parts, next });

  player.addEventListener("beforeseek", () => beats.beforeSeek());
  player.addEventListener("start", ({ detail: { position } }) => {
    const opened = session.open();
    opened.catch((error) => console.info("No play session:", error.message));
    source.load(position, session.hasGrant ? null : opened);
    parts["audio-only"].hidden = !source.isAudioOnly;
  });
  session.addEventListener("opened", () => holdSession(session.id));

  offer(player, progress, config.position);
  beats.addEventListener("leftover", ({ detail: { position } }) => {
    if (player.isStarted) return;
    offer(player, progress, position < length - NEAR_THE_END_SECONDS ? position : progress.next || 0);
  });
  root.dataset.ready = "true";
  await beats.deliverLeftovers(config.position);
}

main();
