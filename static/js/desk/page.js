// What every part of the desk uses: its words, pieces of its page, figures, and requests.

const words = {};
for (const one of document.getElementById("dk-words").content.children) words[one.dataset.word] = one.textContent;

/** `say("done-mute", {name: "Dr Rao"})` puts the values where the translation has `{name}`. The server wrote the words. */
export function say(name, values = {}) {
  const text = words[name];
  if (text === undefined) throw new Error(`No words for ${name}`);
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** What somebody did, by the code that the log has; a code without words stands for itself. */
export function sayDid(did) {
  return words[`did-${did}`] || did;
}

/** A copy of `<template id="dk-…">`, with its parts by name. All text goes in by `textContent`. */
export function stamp(name) {
  const root = document.getElementById(`dk-${name}`).content.firstElementChild.cloneNode(true);
  return { root, part: partsOf(root) };
}

export function partsOf(root) {
  const parts = {};
  for (const element of root.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  return parts;
}

/** Text, and hidden where there is none. */
export function put(element, text) {
  const wanted = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
  element.hidden = !wanted;
}

/** 24:10 or 1:02:03, the same digits in every language. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

export function timeOfDay(iso) {
  const language = document.documentElement.lang || "en";
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

export function country(code) {
  if (!code) return "";
  try {
    return new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "region" }).of(code);
  } catch (error) {
    return code; // a browser without the names, or a code of our own
  }
}

/** A number that a browser makes up once for each thing it sends: sent twice, it is said once. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const TIMEOUT_MILLISECONDS = 15000;

export class Refused extends Error {
  /** `status` 0: no answer. `current` is the question as it stands, where somebody else was faster. */
  constructor(status, answer) {
    super(`HTTP ${status}`);
    this.status = status;
    this.current = (answer && answer.current) || null;
    this.detail = (answer && firstWords(answer)) || say("not-sent");
  }
}

function firstWords(answer) {
  const first = (answer.errors || [])[0];
  return (first && (first.detail || first.message)) || answer.detail || answer.title || "";
}

export class Requests {
  constructor({ csrf, api }) {
    this.csrf = csrf;
    this.api = api;
  }

  get(path) {
    return this.send("GET", this.api + path);
  }

  post(path, body = {}) {
    return this.send("POST", this.api + path, JSON.stringify(body), "application/json");
  }

  put(path, body) {
    return this.send("PUT", this.api + path, JSON.stringify(body), "application/json");
  }

  remove(path) {
    return this.send("DELETE", this.api + path);
  }

  /** `url` is a whole address here: the admin's own pages are not part of the API. */
  async send(method, url, body, type) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MILLISECONDS);
    const headers = { Accept: "application/json", "X-CSRFToken": this.csrf };
    if (type) headers["Content-Type"] = type;
    let response;
    let answer = null;
    try {
      response = await fetch(url, { method, headers, body, credentials: "same-origin", signal: abort.signal });
      const text = await response.text();
      answer = text ? JSON.parse(text) : null;
    } catch (error) {
      throw new Refused(response && !response.ok ? response.status : 0, null);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw new Refused(response.status, answer);
    return answer;
  }
}
