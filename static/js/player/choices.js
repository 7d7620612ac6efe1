// What a doctor chose once and should not have to choose again. Storage may be forbidden; then it lasts for the page.

const KEY = "rounds-player-choices";
const DEFAULTS = { rate: 1, quality: "auto", captions: "", volume: 1, muted: false };

export class Choices {
  constructor(storage = null) {
    this.storage = storage;
    this.values = Object.assign({}, DEFAULTS, { quality: wished() }, this.read());
  }

  /** Reading `window.localStorage` alone throws where cookies are blocked. */
  static open() {
    try {
      return new Choices(window.localStorage);
    } catch (error) {
      return new Choices();
    }
  }

  read() {
    try {
      const stored = JSON.parse((this.storage && this.storage.getItem(KEY)) || "{}");
      const known = Object.keys(DEFAULTS).filter((name) => typeof stored[name] === typeof DEFAULTS[name]);
      return Object.assign({}, ...known.map((name) => ({ [name]: stored[name] })));
    } catch (error) {
      return {};
    }
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = value;
    try {
      if (this.storage) this.storage.setItem(KEY, JSON.stringify(this.values));
    } catch (error) {
      this.storage = null;
    }
  }
}

/** Who told the phone to save data means the lecture too. */
function wished() {
  return navigator.connection && navigator.connection.saveData ? "save" : "auto";
}
