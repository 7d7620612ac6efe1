// Uploads one file in parts: three at a time, each tried again with back-off, to our own address or straight to S3.
// The server knows which parts are safe, so choosing the same file again after a reload goes on where it stopped.

const PARALLEL = 3;
const TRIES = 8;
const LONGEST_WAIT_MS = 30_000;

class Stopped extends Error {}
class Refused extends Error {}

const root = document.querySelector("[data-upload]");

function start(root) {
  const find = (name) => root.querySelector(`[data-${name}]`);
  const view = new View(root, find);
  let upload = null;

  const begin = (file) => {
    if (!file || (upload && upload.running)) return;
    upload = new Upload(root.dataset, file, find("title")?.value ?? "", view);
    upload.run();
  };
  find("file").hasChangeListener = true;  // the admin theme would write the file's name into our title field
  find("file").addEventListener("change", (event) => begin(event.target.files[0]));
  const drop = find("drop");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  }
  drop.addEventListener("drop", (event) => begin(event.dataTransfer.files[0]));
  find("pause").addEventListener("click", () => upload?.pause());
  find("continue").addEventListener("click", () => upload?.run());
  find("cancel").addEventListener("click", () => upload?.cancel());
  window.addEventListener("beforeunload", (event) => { if (upload?.running) event.preventDefault(); });
  for (const button of root.querySelectorAll("[data-cancel-pending]")) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      await post(button.dataset.cancelPending, root.dataset.csrf, {});
      button.closest("li").remove();
    });
  }
}

class Upload {
  constructor(texts, file, title, view) {
    Object.assign(this, { texts, file, title, view, running: false, stopping: false, again: false });
    this.requests = new Set();
    this.sending = new Map();
    this.safe = 0;
  }

  run() {
    if (this.running && !this.stopping) return;
    this.again = this.running;  // "Continue" came before the paused turn had ended
    if (!this.running) this.turn();
  }

  async turn() {
    this.running = true;
    this.stopping = false;
    this.view.begin(this.file);
    try {
      this.state = await this.begin();
      const done = new Set(this.state.done);
      this.safe = [...done].reduce((sum, number) => sum + this.sizeOf(number), 0);
      this.view.speed.reset(this.safe);
      await this.send([...range(1, this.state.parts)].filter((number) => !done.has(number)));
      await this.finish();
    } catch (error) {
      this.stop();
      if (!(error instanceof Stopped)) this.view.fail(error, this.texts);
    } finally {
      this.running = false;
      if (this.again) {
        this.again = false;
        this.turn();
      }
    }
  }

  begin() {
    const { name, size, lastModified } = this.file;
    const fingerprint = `${name}|${size}|${lastModified}`.slice(0, 200);
    const video = Number(this.texts.video) || null;
    return patiently(this, () => post(this.texts.begin, this.texts.csrf, { name, size, fingerprint, title: this.title, video }));
  }

  // Ends when all lanes have: one left over would send on beside the lanes of the next turn.
  async send(numbers) {
    const queue = [...numbers];
    const lane = async () => {
      try {
        while (queue.length) {
          const number = queue.shift();
          await patiently(this, () => this.sendPart(number));
        }
      } catch (error) {
        this.stop();
        throw error;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, lane));
    const failed = ended.filter((one) => one.status === "rejected").map((one) => one.reason);
    if (failed.length) throw failed.find((error) => !(error instanceof Stopped)) ?? failed[0];
  }

  async sendPart(number) {
    const own = this.state.part_url.replace(/0\/$/, `${number}/`);
    const target = await post(own, this.texts.csrf, {});
    const from = (number - 1) * this.state.part_bytes;
    const blob = this.file.slice(from, from + target.size);
    await this.put(number, target.url || own, blob, target.url ? {} : { "X-CSRFToken": this.texts.csrf });
    this.sending.delete(number);
    this.safe += target.size;
    this.show();
  }

  put(number, url, blob, headers) {
    return new Promise((resolve, reject) => {
      if (this.stopping) { reject(new Stopped()); return; }
      const request = new XMLHttpRequest();
      this.requests.add(request);
      const end = (settle, value) => { this.requests.delete(request); this.sending.delete(number); settle(value); };
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => { this.sending.set(number, event.loaded); this.show(); };
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) end(resolve);
        else end(reject, failure(request.status, request.responseText));
      };
      request.onerror = () => end(reject, new Error("network"));
      request.onabort = () => end(reject, new Stopped());
      request.send(blob);
    });
  }

  async finish() {
    this.view.say(this.texts.textFinishing);
    const { url } = await patiently(this, () => post(this.state.complete_url, this.texts.csrf, {}));
    this.view.say(this.texts.textDone);
    this.running = false;
    window.location.assign(url);
  }

  stop() {
    this.stopping = true;
    for (const request of this.requests) request.abort();
    this.sending.clear();
  }

  pause() {
    this.again = false;
    this.stop();
    this.view.pause(this.texts.textPaused);
  }

  async cancel() {
    this.again = false;
    this.stop();
    if (this.state) await post(this.state.cancel_url, this.texts.csrf, {}).catch((error) => { if (!(error instanceof Refused)) throw error; });
    this.view.end(this.texts.textCancelled);
  }

  sizeOf(number) {
    return Math.min(this.state.part_bytes, this.state.size - (number - 1) * this.state.part_bytes);
  }

  show() {
    const moving = [...this.sending.values()].reduce((sum, loaded) => sum + loaded, 0);
    this.view.show(Math.min(this.safe + moving, this.file.size), this.file.size);
  }
}

// The rate over the last half minute or so: a mean since the start would take an hour to notice a slower line.
class Speed {
  reset(bytes) { this.samples = [[performance.now(), bytes]]; }

  secondsLeft(bytes, total) {
    const now = performance.now();
    this.samples.push([now, bytes]);
    while (this.samples.length > 2 && now - this.samples[0][0] > 30_000) this.samples.shift();
    const [then, before] = this.samples[0];
    const rate = (bytes - before) / Math.max(1, now - then) * 1000;
    return now - then < 2000 || rate <= 0 ? null : (total - bytes) / rate;
  }
}

class View {
  constructor(root, find) {
    Object.assign(this, { texts: root.dataset, find, speed: new Speed() });
    this.speed.reset(0);
  }

  begin(file) {
    this.find("drop").hidden = true;
    this.find("error").hidden = true;
    this.find("progress").hidden = false;
    this.find("name").textContent = file.name;
    this.buttons({ pause: true, continue: false, cancel: true });
    this.say(this.texts.textSending);
  }

  show(bytes, total) {
    const share = bytes / total;
    this.find("bar").value = share;
    this.find("percent").textContent = `${Math.floor(share * 100)} %`;
    this.find("amount").textContent = this.texts.textOf.replace("%a", size(bytes)).replace("%b", size(total));
    this.find("left").textContent = this.left(this.speed.secondsLeft(bytes, total));
  }

  left(seconds) {
    if (seconds === null) return "";
    if (seconds < 90) return this.texts.textLeftSeconds.replace("%s", Math.max(1, Math.round(seconds)));
    if (seconds < 5400) return this.texts.textLeftMinutes.replace("%s", Math.round(seconds / 60));
    return this.texts.textLeftHours.replace("%s", (seconds / 3600).toFixed(1));
  }

  say(text) { this.find("message").textContent = text; }

  pause(text) {
    this.say(text);
    this.find("left").textContent = "";
    this.buttons({ pause: false, continue: true, cancel: true });
  }

  fail(error, texts) {
    this.pause("");
    const refused = error instanceof Refused;
    this.find("error").textContent = error.message || texts.textFailed;
    if (!refused) this.find("error").textContent = texts.textFailed;
    this.find("error").hidden = false;
    if (refused && error.final) {
      this.find("drop").hidden = false;
      this.find("file").value = "";
      this.find("progress").hidden = true;
    }
  }

  end(text) {
    this.say(text);
    this.buttons({ pause: false, continue: false, cancel: false });
    this.find("drop").hidden = false;
    this.find("file").value = "";
  }

  buttons(shown) { for (const [name, is] of Object.entries(shown)) this.find(name).hidden = !is; }
}

// Tries again while the trouble may pass; waits with full jitter so that many browsers do not return together.
async function patiently(upload, action) {
  for (let attempt = 1; ; attempt += 1) {
    if (upload.stopping) throw new Stopped();
    try {
      const result = await action();
      if (!upload.stopping) upload.view.say(upload.texts.textSending);
      return result;
    } catch (error) {
      if (error instanceof Stopped || error instanceof Refused || attempt >= TRIES) throw error;
      upload.view.say(upload.texts.textWaiting);
      await wait(Math.random() * Math.min(LONGEST_WAIT_MS, 1000 * 2 ** attempt));
    }
  }
}

async function post(url, csrf, body) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    redirect: "manual",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify(body),
  });
  if (response.ok) return response.json();
  throw failure(response.status, await response.text());
}

// 0 is a redirect, and that leads to the sign-in page.
function failure(status, text) {
  const { textSignedOut, textClosed } = root.dataset;
  if (status === 0 || status === 401 || status === 403) return Object.assign(new Refused(textSignedOut), { final: false });
  let said = "";
  try { said = JSON.parse(text).error ?? ""; } catch { said = ""; }
  if (status === 409 && said === "closed") return Object.assign(new Refused(textClosed), { final: true });
  if (status === 400 || status === 404) return Object.assign(new Refused(said || textClosed), { final: true });
  return new Error(`status ${status}`);
}

function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: units[step], maximumFractionDigits: 1 });
  return format.format(bytes / 1000 ** step);
}

function* range(first, last) { for (let number = first; number <= last; number += 1) yield number; }

const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

if (root) start(root);  // last: the classes above exist only from here on
