// While a webinar is live its numbers are fetched again; the server makes them once for all who look.

import { Fragment } from "./stage/fragment.js";

const EVERY_MILLISECONDS = 10000;

const place = document.querySelector("#numbers[data-live]");
if (place) new Fragment({ place, every: EVERY_MILLISECONDS }).start();
