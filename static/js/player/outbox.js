// Beats wait here until the server acknowledged them: in memory, and in IndexedDB so that they survive the tab. A tab
// that closes does not wait for IndexedDB: what is still on its way there goes into localStorage, which is written at once.

const DATABASE = "rounds-player";
const LEFT = "rounds-player-left";
const STORE = "beats";
const KEEP_MILLISECONDS = 30 * 86400 * 1000;

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text) || [];
  } catch {
    return [];
  }
}

/** A page that goes away may take with it what succeeded and is not committed. */
function written(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

function open(factory) {
  const request = factory.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE, { keyPath: ["user", "session", "n"] });
  };
  return promised(request);
}

export class Outbox {
  /** `user` keeps two doctors on one computer apart: nobody sends, or sees, what another one watched. */
  constructor(user, database = null) {
    this.user = String(user);
    this.database = database;
    this.beats = new Map();
    this.unwritten = new Set();
  }

  /** Private windows, full disks and old browsers have no IndexedDB that works: then memory alone has to do. */
  static async open(user, factory = window.indexedDB) {
    const outbox = new Outbox(user);
    if (!factory) return outbox;
    try {
      outbox.database = await open(factory);
      outbox.database.onversionchange = () => outbox.forget();
      outbox.database.onclose = () => outbox.forget();
      await outbox.load();
    } catch (error) {
      console.info("Watched parts are kept in memory only:", error && error.name);
      outbox.database = null;
    }
    return outbox;
  }

  forget() {
    if (this.database) this.database.close();
    this.database = null;
  }

  get isDurable() {
    return this.database !== null;
  }

  async load() {
    const range = IDBKeyRange.bound([this.user], [this.user, []]);
    const rows = await promised(this.store("readonly").getAll(range));
    const oldest = Date.now() - KEEP_MILLISECONDS;
    for (const row of rows) {
      if (row.at < oldest) this.persist((store) => store.delete([this.user, row.session, row.n]));
      else this.beats.set(`${row.session}/${row.n}`, row);
    }
    await this.takeUp(oldest);
  }

  /** What tabs left in a hurry, now in its proper place. Another tab may do the same just now: the rows are the same. */
  async takeUp(oldest) {
    const prefix = `${LEFT}/${this.user}/`;
    for (const key of Object.keys(localStorage).filter((name) => name.startsWith(prefix))) {
      const rows = parsed(localStorage.getItem(key)).filter((row) => row.at >= oldest);
      await Promise.all(rows.map((row) => this.keep(row)));
      localStorage.removeItem(key);
    }
  }

  /** Without waiting, for a page that may never run again. */
  leave() {
    const rows = Array.from(this.unwritten);
    if (!this.database || !rows.length) return;
    try {
      localStorage.setItem(`${LEFT}/${this.user}/${rows[0].session}/${rows[0].n}`, JSON.stringify(rows));
    } catch (error) {
      console.info("A watched part may be lost with this page:", error && error.name);
    }
  }

  store(mode) {
    return this.database.transaction(STORE, mode).objectStore(STORE);
  }

  /** Best effort by design: the copy in memory is what this tab sends from. */
  async persist(change) {
    if (!this.database) return;
    try {
      const store = this.store("readwrite");
      change(store);
      await written(store.transaction);
    } catch (error) {
      console.info("A watched part is kept in memory only:", error && error.name);
    }
  }

  /** `base` is the last position the server had confirmed when this beat was made; see `leftovers` in beats.js. */
  add({ webinar, session, phase, n, s, p, base }) {
    return this.keep({ user: this.user, webinar, session, phase, n, s, p, base, at: Date.now() });
  }

  async keep(row) {
    this.beats.set(`${row.session}/${row.n}`, row);
    this.unwritten.add(row);
    await this.persist((store) => store.put(row));
    this.unwritten.delete(row);
  }

  remove(session, numbers) {
    return Promise.all(
      numbers.map((n) => {
        this.beats.delete(`${session}/${n}`);
        return this.persist((store) => store.delete([this.user, session, n]));
      }),
    );
  }

  waiting(session) {
    return Array.from(this.beats.values())
      .filter((row) => row.session === session)
      .sort((left, right) => left.n - right.n);
  }

  /** Play sessions that are not this tab's and still have something to send, each with its beats in order. */
  others(session) {
    const names = new Set(Array.from(this.beats.values(), (row) => row.session));
    names.delete(session);
    return Array.from(names, (name) => this.waiting(name));
  }
}
