// The editor of a recording: the uncut picture, marks taken from it, and a look at what viewers will see.

const RENEW_MS = 4 * 60_000;
const root = document.querySelector("[data-recording]");
const video = root.querySelector("video");
const form = root.querySelector("[data-cuts]");
const bar = root.querySelector("[data-bar]");
const skip = root.querySelector("[data-skip]");

if (video) play(video);
if (video && form && bar) edit();

function play(target) {
  if (window.Hls?.isSupported()) {
    const player = new window.Hls();
    player.loadSource(target.dataset.hls);
    player.attachMedia(target);
  } else if (target.canPlayType("application/vnd.apple.mpegurl")) {
    target.src = target.dataset.hls;
  }
  // Asking for the page again renews the grant, which lasts ten minutes.
  setInterval(() => { if (!target.paused) fetch(window.location.href, { credentials: "same-origin" }); }, RENEW_MS);
}

function edit() {
  root.querySelector("[data-tools]").hidden = false;
  for (const button of root.querySelectorAll("[data-take]")) {
    button.addEventListener("click", () => take(button.dataset.take));
  }
  for (const button of root.querySelectorAll("[data-seek]")) {
    button.addEventListener("click", () => { video.currentTime = Number(button.dataset.seek); });
  }
  form.addEventListener("input", draw);
  video.addEventListener("timeupdate", () => {
    const now = video.currentTime;
    const cut = skip.checked && cuts().find(([start, end]) => now >= start && now < end);
    if (cut) video.currentTime = cut[1];
  });
  draw();
}

// The row that was touched last, or the first empty one; where there is none, the page has to be saved for more.
function take(which) {
  const rows = [...form.querySelectorAll("[data-row]")];
  const empty = (row) => !field(row, which).value;
  const row = rows.find((one) => one.contains(document.activeElement)) ?? rows.find(empty);
  if (!row) return;
  const second = which === "start" ? Math.ceil(video.currentTime) : Math.floor(video.currentTime);
  field(row, which).value = clock(second);
  draw();
}

function field(row, name) {
  return row.querySelector(`[name$="-${name}"]`);
}

function cuts() {
  const rows = [...form.querySelectorAll("[data-row]")].filter((row) => !field(row, "DELETE")?.checked);
  const spans = rows.map((row) => [seconds(field(row, "start").value), seconds(field(row, "end").value)]);
  return spans.filter(([start, end]) => start !== null && end !== null && end > start);
}

function draw() {
  const length = Number(bar.dataset.length);
  bar.replaceChildren(...cuts().map(([start, end]) => {
    const part = document.createElement("span");
    part.style.insetInlineStart = `${(start / length) * 100}%`;
    part.style.inlineSize = `${((Math.min(end, length) - start) / length) * 100}%`;
    return part;
  }));
}

function seconds(text) {
  const found = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6})$/.exec(text.trim());
  return found ? Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3]) : null;
}

function clock(total) {
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
