// Beside the form of a campaign the number of doctors and the look follow what is chosen and typed.
// Without this script a button shows them.

const PAUSE_MS = 600;
const form = document.querySelector("[data-campaign-form]");
const place = document.querySelector("[data-look-place]");
const state = document.querySelector("[data-state]");

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
    place.innerHTML = await answer.text(); // a template of ours, which escapes; the e-mail is in a frame that may do nothing
    say("drawn");
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
