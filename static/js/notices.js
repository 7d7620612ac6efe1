// "Turn on in this browser": asks for leave, and hands the server what the browser gave. Without this the page says so.

const form = document.querySelector("form[data-notices]");
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// The browser asks its maker's service for an address, which may be out of reach: behind a hospital's proxy, for one.
const PATIENCE_MS = 30000;

class Denied extends Error {}

function within(promise) {
  const end = new Promise((_, fail) => { setTimeout(() => fail(new Error("too slow")), PATIENCE_MS); });
  return Promise.race([promise, end]);
}

async function subscribe(manager) {
  const options = { userVisibleOnly: true, applicationServerKey: bytes(form.dataset.notices) };
  try {
    return await manager.subscribe(options);
  } catch (error) {
    const before = error.name === "InvalidStateError" && await manager.getSubscription();
    if (!before) throw error;
    await before.unsubscribe(); // it was made with a key that this site no longer has
    return manager.subscribe(options);
  }
}

async function subscribed() {
  await navigator.serviceWorker.register(form.dataset.worker, { scope: "/" });
  const worker = await navigator.serviceWorker.ready; // one that is still being installed subscribes to nothing
  return subscribe(worker.pushManager);
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") throw new Denied();
  const subscription = await within(subscribed());
  form.elements.endpoint.value = subscription.endpoint;
  form.elements.p256dh.value = text(subscription.getKey("p256dh"));
  form.elements.auth.value = text(subscription.getKey("auth"));
  form.submit();
}

function say(status, error) {
  const denied = error instanceof Denied || error.name === "NotAllowedError";
  status.textContent = denied ? status.dataset.denied : status.dataset.unreachable;
}

if (form && able && form.dataset.notices) {
  form.hidden = false;
  const status = form.querySelector("[data-denied]");
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    status.textContent = status.dataset.wait;
    turnOn().catch((error) => say(status, error)).finally(() => button.removeAttribute("aria-disabled"));
  });
}
