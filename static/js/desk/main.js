// Puts the desk together: what it knows, its parts, and what the room tells them.

import { enterRoom } from "../live/room.js";
import { Card } from "./card.js";
import { Checks } from "./checks.js";
import { Door } from "./door.js";
import { Clock, Head } from "./head.js";
import { Keyboard } from "./keyboard.js";
import { Lanes } from "./lanes.js";
import { Drafts, Moves } from "./moves.js";
import { Log, Notices } from "./notices.js";
import { partsOf, put, Requests, say } from "./page.js";
import { People } from "./people.js";
import { Polls } from "./polls.js";
import { Queue } from "./queue.js";
import { Store } from "./store.js";
import { Toast } from "./toast.js";

const RELOAD_MILLISECONDS = 5000;
const read = (id) => JSON.parse(document.getElementById(id).textContent);

function build(root, overview, addresses) {
  const part = partsOf(root);
  const clock = new Clock(overview.now);
  const requests = new Requests({ csrf: root.dataset.csrf, api: addresses.api });
  const toast = new Toast(root);
  const store = new Store({ requests, overview, clock });
  const drafts = new Drafts();
  const log = new Log({ place: part.log, entries: overview.log });
  const moves = new Moves({ requests, store, drafts, toast });
  const queue = new Queue({ root, store, drafts });
  const card = new Card({ place: part.card, store, moves, drafts, replies: overview.replies, log, requests, toast });
  const lanes = new Lanes({ part, requests, toast, settings: overview.lanes });
  const people = new People({ part, requests, address: addresses.people, toast, lanes, shown: overview.people_shown });
  const polls = new Polls({ root, part, requests, toast, polls: overview.polls });
  const notices = new Notices({ root, part, requests, toast, announcements: overview.announcements, pins: overview.pins });
  const head = new Head({ root, part, requests, address: addresses.status, toast, clock, overview });
  const door = new Door({ part, requests, address: addresses.door, toast, shown: overview.waiting });
  const checks = new Checks({ root });
  return { part, clock, checks, requests, toast, store, drafts, log, moves, queue, card, lanes, people, polls, notices, head, door };
}

/** What an event means here. Kinds that are not for desks are left alone. */
function listen(desk, again) {
  const { store, toast, polls, checks, notices, lanes, people, head, door, log } = desk;
  return {
    question: (data) => {
      const isNew = !store.get(data.id) && data.state === "new";
      store.heardOf(data);
      if (isNew) toast.announce(say("new-question", { name: data.author.name }), (n) => say("new-questions", { n }));
    },
    poll: (data) => polls.heard(data),
    poll_results: (data) => polls.counted(data),
    check: () => checks.again(),
    announcement: (data, at) => notices.announced(data, at),
    pinned: (data) => notices.pinned(data),
    lanes: () => lanes.again(),
    restricted: (data) => data.user && people.lookSoon(),
    spot_queue: (data) => {
      head.door(data);
      door.again();
    },
    desk: (data, at) => {
      log.add({ ...data, at });
      if (data.did === "poll.deleted") polls.again(); // no event has its number
    },
    state: () => again(),
  };
}

function follow(desk, addresses, overview) {
  const { clock, head, part, requests, store, card } = desk;
  const again = async () => {
    try {
      const fresh = await requests.send("GET", addresses.data);
      renew(desk, fresh);
      return fresh.number;
    } catch (refused) {
      put(part.trouble, refused.detail);
      return null;
    }
  };
  const heard = listen(desk, again);
  const enter = (since) => {
    const { room, line } = enterRoom(addresses.webinar, since);
    room.addEventListener("event", ({ detail }) => (heard[detail.kind] || (() => {}))(detail.data, detail.at));
    room.addEventListener("state", ({ detail }) => {
      clock.set(detail.now);
      head.show({ ...head.status, state: detail.state, schedule: detail.schedule, people: detail.people });
    });
    room.addEventListener("presence", ({ detail }) => head.people(detail.people));
    room.addEventListener("mode", ({ detail }) => head.line(detail));
    room.addEventListener("reload", async () => {
      const number = await again();
      if (number === null) setTimeout(() => location.reload(), RELOAD_MILLISECONDS);
      else enter(number);
    });
    room.addEventListener("bye", () => {
      head.line("over");
      put(part.trouble, say("line-over"));
    });
    line.start();
  };
  head.addEventListener("changed", again);
  enter(overview.number);
  setInterval(() => {
    head.tick();
    card.drawClaim();
    if ([...store.questions.values()].some((one) => one.claimed_by)) store.changed();
  }, 1000);
}

/** Everything anew but what is typed and which question is open. */
function renew({ store, log, polls, notices, lanes, people, head, door, clock }, fresh) {
  clock.set(fresh.now);
  log.show(fresh.log);
  polls.begin(fresh.polls);
  notices.begin(fresh);
  lanes.show(fresh.lanes);
  people.lookSoon();
  head.show(fresh);
  door.show(fresh.waiting);
  for (const question of fresh.mine) store.keep(question);
  store.ask();
}

function keys({ queue, card, toast, part }, help) {
  const root = document.getElementById("desk");
  // Of such a pair only one makes sense as the question stands; the card knows which.
  const either = (one, other) => () => {
    card.act(one);
    card.act(other);
  };
  const acts = {
    j: () => queue.move(1),
    k: () => queue.move(-1),
    ArrowDown: () => queue.move(1),
    ArrowUp: () => queue.move(-1),
    c: either("claim", "release"),
    f: () => card.press("forward"),
    a: () => card.press("answer"),
    l: () => card.act("answer-live"),
    p: either("publish", "unpublish"),
    d: either("dismiss", "restore"),
    m: () => card.press("merge"),
    z: () => toast.undo(),
    "/": () => part.search.elements.q.focus(),
    "?": () => help.showModal(),
    leave: (field) => {
      const form = field.closest("[data-form]");
      const name = form && form.closest(".dk-card") && form.dataset.form;
      if (name && name !== "say") card.shut(name, true);
      else {
        field.blur(); // the list may be empty, and then no row takes the focus
        if (field.closest(".dk-queue")) queue.move(0);
      }
    },
  };
  for (let number = 1; number <= 7; number += 1) acts[number] = () => queue.chooseNumber(number);
  root.querySelector("[data-do=help]").addEventListener("click", () => help.showModal());
  return new Keyboard({ acts, help });
}

function start() {
  const root = document.getElementById("desk");
  const overview = read("dk-overview");
  const addresses = read("dk-addresses");
  const desk = build(root, overview, addresses);
  const { queue, card, people, store, toast, moves, drafts } = desk;
  queue.addEventListener("open", ({ detail }) => card.open(detail.id, detail.focus));
  card.addEventListener("person", ({ detail }) => people.act(detail.do, detail));
  moves.addEventListener("done", () => card.settled());
  store.addEventListener("failed", ({ detail }) => toast.show(detail.detail));
  window.addEventListener("beforeunload", (event) => drafts.all.size && event.preventDefault());
  keys(desk, document.getElementById("dk-help"));
  queue.draw();
  follow(desk, addresses, overview);
  root.dataset.ready = "true";
}

start();
