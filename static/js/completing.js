// Two opening braces bring a choice of placeholders. Without this script they stand in a list on the page.

const TYPED = /\{\{[ \t]*([a-z_.]*)$/;
const NAME = /^[ \t]*\}\}/;

/** In every field with data-completes. The choices are what the list [data-places] of the page says. */
export function completePlaceholders(form, changed) {
  const places = document.querySelector("[data-places]");
  const names = [...places.querySelectorAll("[data-place]")].map((code) => ({
    name: code.dataset.place,
    about: code.parentElement.querySelector("[data-about]").textContent,
  }));
  const title = places.closest("details").querySelector("summary").textContent;
  for (const field of form.querySelectorAll("[data-completes]")) complete(field, { names, title, changed });
}

function complete(field, { names, title, changed }) {
  const list = document.createElement("ul");
  list.className = "mt-choices";
  list.id = `${field.id}-choices`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", title);
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
    changed();
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
