// While a campaign is under way its page looks again and again what became of it. Without this script it is loaded anew.

const EVERY_MS = 10_000;
const LONGEST_MS = 120_000;
const place = document.querySelector("[data-results]");
let delay = EVERY_MS;

const isUnderWay = () => Boolean(place.querySelector("[data-under-way]"));

async function look() {
  if (!isUnderWay()) return;
  // Nobody looks, or somebody is on one of its buttons: nothing may be taken from under their finger.
  if (!document.hidden && !place.contains(document.activeElement)) {
    try {
      const answer = await fetch(`${window.location.pathname}?part=1`, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const html = await answer.text();
      if (!place.contains(document.activeElement)) place.innerHTML = html; // a template of ours, which escapes
      delay = EVERY_MS;
    } catch {
      delay = Math.min(LONGEST_MS, delay * 2);
    }
  }
  setTimeout(look, delay);
}

if (isUnderWay()) setTimeout(look, delay);
