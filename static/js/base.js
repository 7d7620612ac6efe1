// Every page. All of it is an extra: without this file the pages work, with times in the zone of the profile.

const remembered = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* private window: asked again next time */ } },
};

// As the browser names it: the server knows which names are out of date.
function deviceZone() {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  } catch {
    return "";
  }
}

function wallClock(zone, at) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(at);
}

// Zones that agree in every season are the same for a reader, whatever their names.
function sameZone(one, other) {
  if (one === other) return true;
  const year = new Date().getFullYear();
  try {
    return [0, 3, 6, 9].every((month) => {
      const at = new Date(Date.UTC(year, month, 15, 12));
      return wallClock(one, at) === wallClock(other, at);
    });
  } catch {
    return false;
  }
}

// "India Standard Time", in the language of the page: browsers still call its city Calcutta.
function zoneWords(zone) {
  const words = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, timeZoneName: "long" });
  return words.formatToParts(new Date()).find((part) => part.type === "timeZoneName").value;
}

function askAboutZone() {
  const banner = document.querySelector("[data-zone-banner]");
  const zone = deviceZone();
  if (!banner || !zone || sameZone(zone, banner.dataset.zone)) return;
  const answer = `zone-kept:${banner.dataset.zone}:${zone}`;
  if (remembered.get(answer)) return;
  banner.querySelector("[name=timezone]").value = zone;
  banner.querySelector("[data-zone-name]").textContent = zoneWords(zone);
  banner.querySelector("[data-zone-keep]").addEventListener("click", () => {
    remembered.set(answer, "1");
    banner.hidden = true;
    document.getElementById("main").focus();
  });
  banner.hidden = false;
  const confirm = document.querySelector("[data-zone-confirm]");
  if (confirm) confirm.hidden = true; // one question about the zone at a time, and this one knows more
}

// <input data-device-zone> in sign-in and invitation forms: tells the server the zone before there is a profile.
function fillZoneInputs() {
  const zone = deviceZone();
  for (const input of document.querySelectorAll("input[data-device-zone]")) {
    if (!input.value) input.value = zone;
  }
}

// <time data-local datetime="…">: for readers whose zone the server cannot know yet (not signed in).
function showLocalTimes() {
  const words = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  for (const element of document.querySelectorAll("time[data-local]")) {
    const at = new Date(element.dateTime);
    if (!Number.isNaN(at.getTime())) element.textContent = at.toLocaleString(document.documentElement.lang, words);
  }
}

function closeMenus() {
  const open = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });
}

fillZoneInputs();
showLocalTimes();
closeMenus();
askAboutZone();
