// The queue at the door, inside the admin: new requests appear by themselves.

import { enterRoom } from "../live/room.js";
import { Fragment } from "./fragment.js";

const EVERY_MILLISECONDS = 15000;  // for what no event says: a door that closed, a rule that let somebody in
const place = document.querySelector("[data-queue]");

if (place) {
  const fragment = new Fragment({ place, every: EVERY_MILLISECONDS });
  const { room, line } = enterRoom(place.dataset.queue, Number(place.dataset.since));
  room.addEventListener("event", ({ detail }) => detail.kind === "spot_queue" && fragment.refresh());
  room.addEventListener("reload", () => fragment.refresh());
  fragment.start();
  line.start();
}
