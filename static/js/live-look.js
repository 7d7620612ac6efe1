// A form, and beside it what comes of what stands in it: it follows the typing. Without a script a button shows it.
// `form` says in data-look where to ask and has a button [data-draw]; `state` has the words to say, by name.

const PAUSE_MS = 500;

/** `show(place, html)` puts it there and returns which word to say. Returns the function that asks for a new look. */
export function follow({ form, place, state, show = put }) {
  let timer = 0;
  let isAsking = false;
  let isOld = false; // something was changed since

  function say(what) {
    state.textContent = what ? state.dataset[what] : "";
  }

  function soon(milliseconds = PAUSE_MS) {
    clearTimeout(timer);
    timer = setTimeout(draw, milliseconds);
  }

  // One after the other: what is asked for is drawn, whoever still waits for it.
  async function draw() {
    if (isAsking) {
      isOld = true;
      return;
    }
    isAsking = true;
    isOld = false;
    say("drawing");
    try {
      const answer = await fetch(form.dataset.look, { method: "POST", body: new FormData(form), credentials: "same-origin" });
      if (answer.status === 429) {
        say("wait");
        soon(1000 * Number(answer.headers.get("Retry-After") || 10));
        return;
      }
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      say(show(place, await answer.text()));
    } catch {
      say("lost");
    } finally {
      isAsking = false;
      if (isOld) soon(0);
    }
  }

  form.addEventListener("input", () => soon());
  form.addEventListener("change", () => soon());
  form.querySelector("[data-draw]").addEventListener("click", (event) => {
    event.preventDefault();
    soon(0);
  });
  if ([...form.elements].some(isTouched)) soon(0); // typed before this script was there, or brought back by the browser
  return soon;
}

function isTouched(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return "defaultValue" in field && field.value !== field.defaultValue;
}

function put(place, html) {
  place.innerHTML = html; // a template of ours, which escapes; an e-mail is in a frame that may do nothing
  return place.querySelector(".mt-problems") ? "" : "drawn";
}
