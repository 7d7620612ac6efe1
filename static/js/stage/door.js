// The page of a doctor who waits at the door: looks every few seconds, less often the longer it takes, and changes by itself.

const FIRST_MILLISECONDS = 3000;
const MOST_MILLISECONDS = 15000;
const SLOWER = 1.15;

/** Spread by a third: three thousand who were let in together must not ask in the same second. */
export function pause(number, random = Math.random) {
  const middle = Math.min(MOST_MILLISECONDS, FIRST_MILLISECONDS * Math.pow(SLOWER, number));
  return Math.round(middle * (0.83 + random() / 3));
}

export async function look(address, fetchIt = fetch) {
  const response = await fetchIt(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()).state;
}

function start(place) {
  let number = 0;
  const again = () => {
    number += 1;
    setTimeout(ask, pause(number));
  };
  async function ask() {
    try {
      const state = await look(place.dataset.doorState);
      if (state === "pending") again();
      else window.location.reload();
    } catch (error) {
      again();  // the line is gone for a moment
    }
  }
  again();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) number = 0;
  });
}

const place = document.querySelector("[data-door-state]");
if (place) start(place);
