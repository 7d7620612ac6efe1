// How long until it begins: every second for the eye, at the minutes that matter for the ear.

import { clock, say } from "../player/words.js";

const SPOKEN_MINUTES = [30, 15, 10, 5, 2, 1];

function words(seconds) {
  if (seconds <= 0) return say("soon");
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  if (days) return say("left-days", { days, hours });
  if (hours) return say("left-hours", { hours, minutes: Math.floor((seconds % 3600) / 60) });
  return clock(seconds);
}

function spoken(minutes) {
  return minutes > 0 ? say("begins-minutes", { minutes }) : say("begins-soon");
}

/** `now`: milliseconds of the server's clock. Stops by itself when the element is gone. */
export function startCountdowns(root, now) {
  for (const element of root.querySelectorAll("[data-countdown]")) {
    if (element.dataset.runs) continue;
    element.dataset.runs = "true";
    const at = Date.parse(element.dataset.countdown);
    const shown = element.querySelector("[data-part=countdown]");
    const heard = element.querySelector("[data-part=countdown-live]");
    let last = null;
    const tick = () => {
      const left = (at - now()) / 1000;
      shown.textContent = words(Math.ceil(left));
      const minutes = Math.max(0, Math.ceil(left / 60));
      if (last !== null && minutes !== last && (minutes === 0 || SPOKEN_MINUTES.includes(minutes))) heard.textContent = spoken(minutes);
      last = minutes;
    };
    tick();
    element.hidden = false;
    const timer = setInterval(() => (element.isConnected ? tick() : clearInterval(timer)), 1000);
  }
}
