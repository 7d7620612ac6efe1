// Announcements, links held up for everybody, and the log of what was done.

import { newKey, put, Refused, say, sayDid, stamp, timeOfDay } from "./page.js";

const MOST = 100;

export class Log {
  constructor({ place, entries }) {
    this.place = place;
    this.show(entries);
  }

  show(entries) {
    this.entries = entries.slice(0, MOST);
    this.place.replaceChildren(...this.entries.map((one) => this.row(one)));
  }

  add(entry) {
    this.entries.unshift(entry);
    this.place.prepend(this.row(entry));
    while (this.entries.length > MOST) {
      this.entries.pop();
      this.place.lastElementChild.remove();
    }
  }

  /** The log has the beginning of a question's words, not its number. */
  latestAbout(words) {
    return this.entries.find((one) => one.did.startsWith("question.") && one.what === words) || null;
  }

  row(entry) {
    const { root, part } = stamp("log-row");
    put(part.at, timeOfDay(entry.at));
    put(part.by, entry.by || say("log-machine"));
    put(part.did, sayDid(entry.did));
    put(part.what, entry.what);
    return root;
  }
}

export class Notices {
  constructor({ root, part, requests, toast, announcements, pins }) {
    Object.assign(this, { part, requests, toast });
    this.forms = { announce: root.querySelector("[data-form=announce]"), pin: root.querySelector("[data-form=pin]") };
    for (const [name, form] of Object.entries(this.forms)) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.send(name, form);
      });
      form.addEventListener("input", () => (this.key = null)); // other words are another announcement
    }
    this.begin({ announcements, pins });
  }

  begin({ announcements, pins }) {
    this.part.announcements.replaceChildren(...announcements.map((one) => this.said(one)));
    this.pins = new Map(pins.map((one) => [one.id, one]));
    this.drawPins();
  }

  said({ text, at }) {
    const { root, part } = stamp("log-row");
    put(part.at, timeOfDay(at));
    put(part.by, "");
    put(part.did, "");
    put(part.what, text);
    return root;
  }

  announced(data, at) {
    this.part.announcements.prepend(this.said({ text: data.text, at }));
  }

  pinned(data) {
    if (data.removed) this.pins.delete(data.id);
    else this.pins.set(data.id, data);
    this.drawPins();
  }

  drawPins() {
    this.part.pins.replaceChildren(
      ...[...this.pins.values()].map((one) => {
        const { root, part } = stamp("pin");
        put(part.link, one.title);
        if (/^https?:\/\//i.test(one.url)) part.link.href = one.url;
        part.unpin.addEventListener("click", () => this.unpin(one.id));
        return root;
      }),
    );
  }

  async send(name, form) {
    const error = form.querySelector("[data-part=form-error]");
    this.key = this.key || newKey();
    const { text, title, url } = form.elements;
    try {
      if (name === "announce") await this.requests.post("announcements/", { text: text.value, client_key: this.key });
      else this.pinned(await this.requests.post("pins/", { title: title.value, url: url.value }));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      put(error, refused.detail);
      return;
    }
    put(error, "");
    form.reset();
    this.key = null;
    this.toast.show(say(`done-${name}`));
  }

  async unpin(id) {
    try {
      await this.requests.remove(`pins/${id}/`);
      this.toast.show(say("done-unpin"));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.toast.show(refused.detail);
    }
  }
}
