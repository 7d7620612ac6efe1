// Moves the bars in the video list and on a video's page while something is being prepared. Stops when nothing moves.

const EVERY_MS = 2000;
const LONGEST_MS = 30_000;
const place = document.querySelector("[data-status-url]");
let delay = EVERY_MS;

function busy() {
  return [...document.querySelectorAll("[data-video][data-busy]")];
}

function show(spot, video) {
  spot.toggleAttribute("data-busy", video.busy);
  const label = spot.querySelector("[data-label]");
  label.textContent = video.label;
  label.className = `vs-label vs-${video.status}`;
  const bar = spot.querySelector("[data-bar]");
  bar.hidden = video.status !== "transcoding";
  bar.value = video.percent;
  spot.querySelector("[data-stage]").textContent = video.status === "transcoding" ? `${video.percent} % · ${video.stage}` : video.error;
  const panel = spot.closest(".vp");
  if (!panel) return;
  panel.querySelector("[data-retry]").hidden = video.status !== "failed";
  panel.querySelector("[data-cure]").hidden = !video.what_to_do;
  panel.querySelector("[data-cure-text]").textContent = video.what_to_do;
  if (video.status === "ready") window.location.reload();  // for the preview button and the length
}

async function ask() {
  const spots = busy();
  if (!spots.length) return;
  try {
    const ids = spots.map((spot) => spot.dataset.video).join(",");
    const response = await fetch(`${place.dataset.statusUrl}?ids=${ids}`, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { videos } = await response.json();
    for (const video of videos) {
      for (const spot of document.querySelectorAll(`[data-video="${video.id}"]`)) show(spot, video);
    }
    delay = EVERY_MS;
  } catch {
    delay = Math.min(LONGEST_MS, delay * 2);  // the server restarts or the line is gone: ask less often
  }
  setTimeout(ask, delay);
}

async function retry(button) {
  button.disabled = true;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(button.dataset.retry, { method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin" });
  button.disabled = false;
  if (!response.ok) { window.location.reload(); return; }
  const video = await response.json();
  show(document.querySelector(`[data-video="${video.id}"]`), video);
  ask();
}

if (place) {
  for (const button of document.querySelectorAll("[data-retry]")) button.addEventListener("click", () => retry(button));
  ask();
}
