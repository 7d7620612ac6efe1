// One question at a time, without a request for each: the page comes with one, the others are fetched a little later, and
// one is shown. Without this script, and until they are here, every button is a request of its own.

import { Wire } from "../player/wire.js";
import { Clock } from "./clock.js";
import { Outbox } from "./outbox.js";

const TYPING_MILLISECONDS = 800;
// Thousands open their first question in the same minute: the others are asked for when somebody answers, or by and by.
const REST_MILLISECONDS = { least: 4_000, most: 24_000 };
const NEWER = "answered-elsewhere";
const config = JSON.parse(document.getElementById("quiz-config").textContent);
const words = document.getElementById("quiz-words").dataset;
const questions = document.querySelector(".quiz-questions");
const forms = new Map(); // by position
const announce = document.getElementById("quiz-announce");
const wire = new Wire({ csrf: document.querySelector("[name=csrfmiddlewaretoken]").value });
const typing = new Map();
let here = null;
let rest = null;
let since = performance.now();

const positionOf = (form) => Number(form.dataset.position);
const formAt = (position) => forms.get(position);

const outbox = new Outbox({
  attempt: config.attempt,
  storage: window.localStorage,
  send: (position, body) => wire.send("PUT", `/api/v1/attempts/${config.attempt}/answers/${position}/`, body),
  saved: (position) => tell(position, words.saved),
  kept: (position) => tell(position, words.kept, true),
  refused: (position, current, detail) => {
    if (!current) return tell(position, detail, true);
    sessionStorage.setItem(NEWER, String(position));
    location.reload(); // what stands now, with its number
  },
});

function tell(position, text, isKept = false) {
  const form = formAt(position);
  if (!form) return;
  const line = form.querySelector("[data-state]");
  line.textContent = text;
  line.classList.toggle("kept", isKept);
}

/** The fields as the form would send them, without what is no answer. */
function fieldsOf(form) {
  const fields = new FormData(form);
  ["csrfmiddlewaretoken", "saved", "flag"].forEach((name) => fields.delete(name));
  return new URLSearchParams([...fields].filter(([, value]) => typeof value === "string")).toString();
}

function bodyOf(form) {
  const saved = Number(form.elements.saved.value) + 1;
  form.elements.saved.value = String(saved);
  const seconds = form === here ? Math.round((performance.now() - since) / 1000) + Number(form.dataset.seconds || 0) : 0;
  return { form: fieldsOf(form), saved, is_flagged: Boolean(form.elements.flag && form.elements.flag.checked), seconds };
}

function save(form) {
  clearTimeout(typing.get(form));
  typing.delete(form);
  tell(positionOf(form), words.saving);
  mark(form);
  return outbox.put(positionOf(form), bodyOf(form));
}

function mark(form) {
  const link = document.querySelector(`.quiz-mark[data-position="${form.dataset.position}"]`);
  if (!link) return;
  link.classList.toggle("flagged", Boolean(form.elements.flag && form.elements.flag.checked));
  link.classList.toggle("answered", isAnswered(form));
  document.getElementById("quiz-answered").textContent = String(document.querySelectorAll(".quiz-mark.answered").length);
}

function isAnswered(form) {
  return new URLSearchParams(fieldsOf(form)).toString().split("&").some((pair) => pair.split("=")[1]);
}

function show(position) {
  const form = formAt(position);
  if (!form || form === here) return;
  here.dataset.seconds = String(Number(here.dataset.seconds || 0) + Math.round((performance.now() - since) / 1000));
  here.hidden = true;
  form.hidden = false;
  here = form;
  since = performance.now();
  document.querySelectorAll(".quiz-mark").forEach((link) => {
    const isHere = link.dataset.position === form.dataset.position;
    link.classList.toggle("here", isHere);
    if (isHere) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  });
  form.setAttribute("tabindex", "-1");
  form.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `${config.attempt_url}?at=${position + 1}`);
}

/** What waits is sent first; what does not get through is no reason to stay. */
async function leave(submit) {
  typing.forEach((timer, form) => save(form));
  await outbox.flush();
  submit();
}

/** Ticked or typed before this script was here: on a slow line that is seconds after the question could be read. */
function wasTouched(form) {
  const asSent = form.cloneNode(true);
  asSent.reset();
  const isFlagged = (one) => Boolean(one.elements.flag && one.elements.flag.checked);
  return fieldsOf(form) !== fieldsOf(asSent) || isFlagged(form) !== isFlagged(asSent);
}

function adopt(form) {
  forms.set(positionOf(form), form);
  const waiting = outbox.waiting[positionOf(form)];
  if (waiting) form.elements.saved.value = String(waiting.saved); // of an earlier page, and on its way
  form.addEventListener("change", () => {
    fetchRest();
    save(form);
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("textarea, input[type=text], input[inputmode]")) return;
    clearTimeout(typing.get(form));
    typing.set(form, setTimeout(() => save(form), TYPING_MILLISECONDS));
  });
  form.addEventListener("submit", (event) => {
    const go = event.submitter ? event.submitter.value : "next";
    const target = positionOf(form) + (go === "back" ? -1 : 1);
    if (config.one_way || go === "stay" || !formAt(target)) return; // one way, or the last one: the server's turn
    event.preventDefault();
    if (typing.has(form)) save(form);
    show(target);
  });
}

/** The questions that are not here yet. What does not come is no harm: the server shows it then. */
function fetchRest() {
  if (!config.questions_url || rest) return;
  rest = loadRest().catch(() => {
    rest = null;
  });
}

async function loadRest() {
  const answer = await fetch(config.questions_url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  if (answer.redirected) return; // it is over
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.querySelectorAll("form.quiz-question").forEach((form) => {
    if (formAt(positionOf(form))) return;
    const following = [...questions.children].find((other) => positionOf(other) > positionOf(form));
    questions.insertBefore(document.adoptNode(form), following || null);
    form.hidden = true;
    adopt(form);
  });
}

questions.querySelectorAll("form.quiz-question").forEach(adopt);
here = forms.values().next().value;
// The page may be the answer to "Start": reloaded, it is to be asked for and not sent again.
if (location.pathname !== config.attempt_url) history.replaceState(null, "", config.attempt_url);
if (wasTouched(here)) {
  fetchRest();
  save(here);
}
setTimeout(fetchRest, REST_MILLISECONDS.least + Math.random() * (REST_MILLISECONDS.most - REST_MILLISECONDS.least));

document.querySelectorAll(".quiz-mark[data-position]").forEach((link) => {
  link.addEventListener("click", (event) => {
    if (!formAt(Number(link.dataset.position))) return; // not here yet: the link leads there
    event.preventDefault();
    if (typing.has(here)) save(here);
    show(Number(link.dataset.position));
  });
});

window.addEventListener("online", () => outbox.flush());
window.addEventListener("pagehide", () => typing.forEach((timer, form) => save(form)));
if (!outbox.isEmpty()) outbox.flush();
if (sessionStorage.getItem(NEWER) !== null) {
  tell(Number(sessionStorage.getItem(NEWER)), words.newer, true);
  sessionStorage.removeItem(NEWER);
}

if (config.seconds_left !== null && !config.held) {
  const box = document.getElementById("quiz-time");
  new Clock({
    left: config.seconds_left,
    show: (text, isSoon) => {
      document.getElementById("quiz-clock").textContent = text;
      box.classList.toggle("soon", isSoon);
    },
    say: (seconds) => {
      announce.textContent = seconds > 60 ? words.minutes.replace("{minutes}", String(seconds / 60)) : words.minute;
    },
    over: () => {
      announce.textContent = words.over;
      leave(() => location.assign(config.result_url));
    },
  });
}

