// The requests of the player. Same origin, session cookie, CSRF token; every answer is JSON or a RequestFailed.

import { askedToWait } from "./backoff.js";

const TIMEOUT_MILLISECONDS = 15000;

export class RequestFailed extends Error {
  /**
   * `status` 0: the network; otherwise what the server answered. `after`: milliseconds it asked to wait before the next try.
   * `current`: the object as it stands, where a conflict brought it along.
   */
  constructor(status, detail, after = 0, current = null) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail || "";
    this.after = after;
    this.current = current;
  }
}

export class Wire {
  constructor({ csrf }) {
    this.csrf = csrf;
  }

  post(url, body) {
    return this.send("POST", url, body);
  }

  send(method, url, body) {
    return this.request(url, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.csrf },
      body: JSON.stringify(body),
    });
  }

  get(url) {
    return this.request(url, { headers: { Accept: "application/json" } });
  }

  async request(url, options) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MILLISECONDS);
    let response;
    let answer;
    try {
      response = await fetch(url, Object.assign({ credentials: "same-origin", signal: abort.signal }, options));
      answer = response.status === 204 ? {} : await response.json();
    } catch (error) {
      // No answer, or one that is not ours (a hospital's proxy page): both mean "not saved, try again".
      throw new RequestFailed(response && !response.ok ? response.status : 0, "", askedToWait(response));
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw new RequestFailed(response.status, detailOf(answer), askedToWait(response), answer.current || null);
    return Object.assign({ sent_at: response.headers.get("Date") }, answer);
  }

  /** For a page that is going away: no answer, so the caller keeps what it sent. False: the browser would not take it. */
  beacon(url, body) {
    if (!navigator.sendBeacon) return false;
    return navigator.sendBeacon(url, new URLSearchParams({ payload: JSON.stringify(body), csrfmiddlewaretoken: this.csrf }));
  }
}

/** The one sentence a person can do something with. */
function detailOf(problem) {
  const [first] = Array.isArray(problem.errors) ? problem.errors : [];
  return (first && first.detail) || problem.detail;
}
