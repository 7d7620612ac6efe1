// The presenter's page, live: its parts are fetched again when something happens in the room, and every few seconds.

import { enterRoom } from "../live/room.js";
import { Fragment } from "./fragment.js";
import { Preview } from "./preview.js";

const HEALTH_MILLISECONDS = 4000;
const SIDE_MILLISECONDS = 20000;
const SIDE_KINDS = new Set(["forwarded", "poll", "poll_results"]);

const page = document.querySelector("[data-stage]");

function part(name, every, changed) {
  const place = page.querySelector(`[data-part="${name}"]`);
  if (!place) return null;  // a meeting elsewhere has no stream to choose about
  return new Fragment({ place, url: `${window.location.pathname}?part=${name}`, every, changed });
}

/** Forms inside a part are sent without leaving the page: the preview goes on playing. */
function sendHere(fragment) {
  fragment.place.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-live]");
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    const body = new FormData(form);
    if (button && button.name) body.set(button.name, button.value);
    for (const details of fragment.place.querySelectorAll("details[open]")) details.open = false;
    fragment.ask({ method: "POST", body }).then((isDone) => {
      if (!isDone && button) button.disabled = false;
    });
  });
}

function line(room) {
  const place = page.querySelector("[data-line]");
  const say = (name) => {
    place.textContent = name ? place.dataset[name] : "";
    place.hidden = !name;
  };
  room.addEventListener("mode", ({ detail }) => say({ polling: "polling", waiting: "waiting" }[detail]));
  room.addEventListener("bye", () => say("bye"));
}

/** Between two answers of the server the clocks go on by themselves. */
function clocks() {
  let since = Date.now();
  const text = (seconds) => {
    const pad = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
    return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
  };
  setInterval(() => {
    const passed = Math.floor((Date.now() - since) / 1000);
    for (const one of page.querySelectorAll("[data-countdown]")) {
      one.textContent = text(Math.max(0, Number(one.dataset.countdown) - passed));
    }
    for (const one of page.querySelectorAll("[data-countup]")) one.textContent = text(Number(one.dataset.countup) + passed);
  }, 1000);
  return () => { since = Date.now(); };
}

function copying() {
  for (const button of page.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch (error) {
        document.execCommand("copy");  // without https there is no clipboard
      }
      button.textContent = "✓";
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }
}

function start() {
  const restart = clocks();
  const preview = new Preview({
    place: page.querySelector("[data-preview]"),
    seen: () => top.ask({ method: "POST", body: preview.form() }),
  });
  const top = part("top", HEALTH_MILLISECONDS, () => {
    restart();
    preview.follow(top.place.querySelector("[data-source]").dataset.source);
  });
  const side = part("side", SIDE_MILLISECONDS, () => {
    side.place.closest(".stage-grid").classList.toggle("has-questions", Boolean(side.place.querySelector(".stage-questions")));
  });
  const choices = part("choices", 0, () => top.refresh());
  const checks = part("checks", HEALTH_MILLISECONDS);
  const parts = [top, side, choices, checks].filter(Boolean);
  parts.forEach(sendHere);
  const { room, line: socket } = enterRoom(page.dataset.stage, Number(page.dataset.since));
  line(room);
  room.addEventListener("event", ({ detail }) => {
    if (SIDE_KINDS.has(detail.kind)) side.refresh();
    if (detail.kind === "check") checks.refresh();
    if (detail.kind === "state") parts.forEach((one) => one.refresh());
  });
  room.addEventListener("presence", ({ detail }) => {
    const people = top.place.querySelector("[data-people]");
    if (people && people.textContent !== String(detail.people)) {
      people.textContent = detail.people;
      side.refresh();
    }
  });
  room.addEventListener("reload", () => window.location.reload());
  top.start();
  side.start();
  checks.start();
  preview.follow(top.place.querySelector("[data-source]").dataset.source);
  copying();
  socket.start();
}

if (page) start();
