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

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("denied");
  const worker = await navigator.serviceWorker.register(form.dataset.worker, { scope: "/" });
  const subscription = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(form.dataset.notices),
  });
  form.elements.endpoint.value = subscription.endpoint;
  form.elements.p256dh.value = text(subscription.getKey("p256dh"));
  form.elements.auth.value = text(subscription.getKey("auth"));
  form.submit();
}

if (form && able && form.dataset.notices) {
  form.hidden = false;
  const status = form.querySelector("[data-denied]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    turnOn().catch(() => { status.textContent = status.dataset.denied; });
  });
}
