// Polls: one card for each that is open or whose results are shown. The twin of templates/webinars/live/_poll.html.

import { RequestFailed } from "../player/wire.js";
import { say } from "../player/words.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_FIELDS = 5;
const MOST_WORD = 40;
const SIZES = 5;

function element(name, { className = "", text = "" } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function bar(percent) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "poll-bar");
  drawing.setAttribute("viewBox", "0 0 100 10");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["bg", 100], ["seen", percent]]) {
    const part = document.createElementNS(SVG, "rect");
    part.setAttribute("class", name);
    part.setAttribute("width", String(width));
    part.setAttribute("height", "10");
    drawing.append(part);
  }
  return drawing;
}

/** `[value, text]` of what can be chosen. */
function choicesOf(poll) {
  if (poll.kind === "words") return [];
  if (poll.kind !== "scale") return poll.options.map(({ position, text }) => [position, text]);
  const steps = [];
  for (let step = poll.scale_from; step <= poll.scale_to; step += 1) steps.push([step, String(step)]);
  return steps;
}

export class Polls {
  constructor({ wire }) {
    this.wire = wire;
    this.polls = new Map();
  }

  begin({ root, url, polls }) {
    Object.assign(this, { root, url });
    this.polls = new Map(polls.map((poll) => [poll.id, poll]));
    this.root.replaceChildren();
    for (const poll of polls) this.draw(poll);
  }

  /** True when it is new here. */
  change(poll) {
    const known = this.polls.get(poll.id);
    const isGone = poll.removed || (poll.state !== "open" && !poll.is_shown);
    if (isGone) {
      this.polls.delete(poll.id);
      const card = this.card(poll.id);
      if (card) card.remove();
      return false;
    }
    const results = poll.is_shown && known ? known.results : null;
    const merged = Object.assign({ mine: null }, known, poll, { results });
    this.polls.set(poll.id, merged);
    this.draw(merged);
    return !known || known.state !== poll.state;
  }

  /** Results may come before the poll says that they are shown. */
  count(results) {
    const poll = this.polls.get(results.id);
    if (!poll) return;
    poll.results = results;
    this.drawResults(poll);
  }

  card(id) {
    return this.root.querySelector(`[data-id="${id}"]`);
  }

  draw(poll) {
    const card = element("section", { className: "poll" });
    card.dataset.id = String(poll.id);
    card.setAttribute("aria-labelledby", `poll-${poll.id}`);
    const title = element("h3", { text: poll.question });
    title.id = `poll-${poll.id}`;
    title.dir = "auto";
    card.append(element("p", { className: "eyebrow", text: say("poll") }), title);
    if (poll.state === "open") card.append(this.form(poll));
    card.append(element("div", { className: "poll-outcome num" }));
    const old = this.card(poll.id);
    if (old && old.contains(document.activeElement) && poll.state === "open") this.keepInputs(old, card);
    if (old) old.replaceWith(card);
    else if (poll.state === "open") this.root.prepend(card);
    else this.root.append(card);
    this.drawResults(poll);
  }

  /** What somebody is choosing just now survives that the poll is drawn anew. */
  keepInputs(old, card) {
    const before = old.querySelectorAll("input");
    card.querySelectorAll("input").forEach((input, index) => {
      if (!before[index]) return;
      input.checked = before[index].checked;
      if (input.type === "text") input.value = before[index].value;
    });
  }

  form(poll) {
    const form = element("form");
    const chosen = poll.mine ? poll.mine.choices : [];
    for (const [value, text] of choicesOf(poll)) {
      const input = element("input");
      Object.assign(input, { type: poll.kind === "multiple" ? "checkbox" : "radio", name: "choice", value: String(value), checked: chosen.includes(value) });
      const label = element("span", { text });
      label.dir = "auto";
      form.append(element("label", { className: poll.kind === "scale" ? "poll-choice is-step" : "poll-choice" }, input, label));
    }
    this.addWords(form, poll);
    if (poll.kind === "multiple") form.prepend(element("p", { className: "soft small", text: say("poll-most", { most: poll.most_choices }) }));
    form.append(element("button", { className: poll.mine ? "button quiet small" : "button small", text: say(poll.mine ? "poll-change" : "poll-vote") }));
    const said = element("p", { className: "soft small", text: poll.mine ? say("poll-counted") : "" });
    said.setAttribute("role", "status");
    form.append(said);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.vote(poll, form, said); });
    return form;
  }

  addWords(form, poll) {
    if (poll.kind !== "words") return;
    const words = poll.mine ? poll.mine.words : [];
    for (let index = 0; index < Math.max(words.length, Math.min(MOST_FIELDS, poll.most_choices)); index += 1) {
      const input = element("input");
      Object.assign(input, { type: "text", name: "word", maxLength: MOST_WORD, value: words[index] || "", dir: "auto" });
      input.setAttribute("aria-label", say("poll-word"));
      form.append(input);
    }
  }

  async vote(poll, form, said) {
    const inputs = Array.from(form.querySelectorAll("input"));
    const body = {
      choices: inputs.filter((input) => input.checked).map((input) => Number(input.value)),
      words: inputs.filter((input) => input.type === "text" && input.value.trim()).map((input) => input.value),
    };
    try {
      const mine = await this.wire.send("PUT", `${this.url}${poll.id}/vote/`, body);
      const known = this.polls.get(poll.id);
      if (known) known.mine = { choices: mine.choices, words: mine.words };
      Object.assign(form.querySelector("button"), { className: "button quiet small", textContent: say("poll-change") });
      said.className = "soft small";
      said.textContent = say("poll-counted");
    } catch (problem) {
      if (!(problem instanceof RequestFailed)) throw problem;
      said.className = "room-error small";
      said.textContent = (problem.status && problem.detail) || say("not-sent");
    }
  }

  drawResults(poll) {
    const card = this.card(poll.id);
    const place = card.querySelector(".poll-outcome");
    place.replaceChildren();
    if (!poll.results || !poll.is_shown) return;
    const { votes, mean } = poll.results;
    place.append(poll.kind === "words" ? this.cloud(poll.results.words) : this.bars(poll));
    const figures = [say("poll-votes", { votes })];
    if (mean !== null) figures.push(say("poll-mean", { mean }));
    place.append(element("p", { className: "soft small", text: figures.join(" · ") }));
  }

  bars(poll) {
    const list = element("ul", { className: "poll-results" });
    for (const [value, text] of choicesOf(poll)) {
      const count = poll.results.counts[String(value)] || 0;
      const percent = Math.round((count * 100) / Math.max(1, poll.results.votes));
      const name = element("span", { text });
      name.dir = "auto";
      list.append(element("li", {}, name, bar(percent), element("span", { text: `${count} · ${percent} %` })));
    }
    return list;
  }

  cloud(words) {
    const most = Math.max(1, ...Object.values(words));
    const list = element("ul", { className: "poll-cloud" });
    for (const [word, count] of Object.entries(words)) {
      const name = element("bdi", { text: word });
      const item = element("li", { className: `size-${Math.ceil((count / most) * SIZES)}` }, name, " ", element("span", { className: "soft small", text: String(count) }));
      list.append(item);
    }
    return list;
  }
}
