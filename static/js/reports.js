// While a webinar is live its numbers are fetched again; the server makes them once for all who look. When it is over the
// answer says so: these are the last ones.

import { Fragment } from "./stage/fragment.js";

const EVERY_MILLISECONDS = 10000;

const place = document.querySelector("#numbers[data-live]");
if (place) {
  const fragment = new Fragment({ place, every: EVERY_MILLISECONDS, changed: () => {
    if (!place.querySelector("[data-over]")) return;
    fragment.stop();
    place.removeAttribute("data-live");
    for (const chip of document.querySelectorAll("[data-live-chip]")) chip.remove();
  } });
  fragment.start();
}
