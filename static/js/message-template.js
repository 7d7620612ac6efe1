// Beside the form of a message all channels follow what is typed, and two braces bring a choice of placeholders.
// Without this script a button shows the channels, and the placeholders stand in a list.

const PAUSE_MS = 500;
const form = document.querySelector("[data-template-form]");
const place = document.querySelector("[data-look-place]");
const state = document.querySelector("[data-state]");

// The look

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
    say(place.querySelector(".mt-problems") ? "" : "drawn");
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

// Placeholders

const names = [...document.querySelectorAll("[data-place]")].map((code) => ({
  name: code.dataset.place,
  about: code.parentElement.querySelector("[data-about]").textContent,
}));
const TYPED = /\{\{[ \t]*([a-z_.]*)$/;
const NAME = /^[ \t]*\}\}/;

for (const field of form.querySelectorAll("[data-completes]")) complete(field);

function complete(field) {
  const list = document.createElement("ul");
  list.className = "mt-choices";
  list.id = `${field.id}-choices`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", document.querySelector("[data-places]").closest("details").querySelector("summary").textContent);
  list.hidden = true;
  field.after(list);
  field.setAttribute("aria-controls", list.id);
  let at = 0;

  const typed = () => {
    const found = TYPED.exec(field.value.slice(0, field.selectionStart));
    return field.selectionStart === field.selectionEnd && found ? found : null;
  };

  function close() {
    list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    const items = [...list.children];
    at = (index + items.length) % items.length;
    items.forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    field.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  }

  function show() {
    const found = typed();
    const fitting = found ? names.filter((one) => one.name.includes(found[1]) && one.name !== found[1]) : [];
    if (!fitting.length) {
      close();
      return;
    }
    list.replaceChildren(...fitting.map((one, number) => {
      const item = document.createElement("li");
      const code = document.createElement("code");
      const about = document.createElement("span");
      item.id = `${list.id}-${number}`;
      item.setAttribute("role", "option");
      item.dataset.name = one.name;
      code.dir = "ltr";
      code.textContent = one.name;
      about.textContent = one.about;
      item.append(code, about);
      return item;
    }));
    list.hidden = false;
    mark(0);
  }

  function take(name) {
    const found = typed();
    if (!found) return;
    const end = field.selectionStart;
    const rest = field.value.slice(end).replace(NAME, "");
    const before = `${field.value.slice(0, end - found[0].length)}{{ ${name} }}`;
    field.value = before + rest;
    field.setSelectionRange(before.length, before.length);
    close();
    field.focus();
    soon();
  }

  field.addEventListener("input", show);
  field.addEventListener("click", show);
  field.addEventListener("blur", () => setTimeout(close, 200));
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault(); // the field keeps the focus
    take(item.dataset.name);
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter" || event.key === "Tab") take(list.children[at].dataset.name);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
