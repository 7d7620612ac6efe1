// Passkeys. Everything here is an extra: without it people sign in by e-mail, and nothing on the page asks for it.
// `webauthnJSON` comes from allauth's webauthn-json.js, which turns the server's JSON into what the browser wants.

const supported = () => Boolean(window.PublicKeyCredential && navigator.credentials && window.webauthnJSON);

function optionsOf(form) {
  const element = document.getElementById(form.dataset.options);
  return element ? JSON.parse(element.textContent) : null;
}

function complain(form) {
  const problem = form.querySelector("[data-passkey-problem]");
  if (problem) problem.hidden = false;
}

async function submitWith(form, ask) {
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    form.elements.credential.value = JSON.stringify(await ask());
    HTMLFormElement.prototype.submit.call(form);
  } catch {
    // Cancelled, timed out, no passkey here: the person decides what to do next.
    button.disabled = false;
    complain(form);
  }
}

// Sign-in page: a passkey instead of an e-mail.
function passkeySignIn(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitWith(form, async () => {
      const response = await fetch(form.dataset.passkeyOptions, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`options: ${response.status}`);
      const { request_options: options } = await response.json();
      return window.webauthnJSON.get(options);
    });
  });
}

// The second step, and "is it really you": the options came with the page.
function passkeyConfirm(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitWith(form, () => window.webauthnJSON.get(optionsOf(form).request_options));
  });
}

// A new passkey. Stored on the device itself, so that it also opens the sign-in page.
function passkeyAdd(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitWith(form, () => {
      const options = JSON.parse(JSON.stringify(optionsOf(form).creation_options));
      const wish = options.publicKey.authenticatorSelection;
      wish.residentKey = "required";
      wish.requireResidentKey = true;
      wish.userVerification = "required";
      return window.webauthnJSON.create(options);
    });
  });
}

function start() {
  if (!supported()) {
    for (const form of document.querySelectorAll("[data-passkey-add]")) complain(form);
    return;
  }
  for (const form of document.querySelectorAll("[data-passkey]")) passkeySignIn(form);
  for (const form of document.querySelectorAll("[data-passkey-confirm]")) passkeyConfirm(form);
  for (const form of document.querySelectorAll("[data-passkey-add]")) passkeyAdd(form);
}

start();
