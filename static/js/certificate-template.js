// The picture beside the form of a certificate's template follows what is typed; signatures are added, moved and removed
// without numbers and ticks. Without this script there are a button, a number and a tick for the same.

import { follow } from "./live-look.js";

const form = document.querySelector("[data-template-form]");
const place = document.querySelector("[data-picture]");
const soon = follow({ form, place, state: document.querySelector("[data-state]"), show });

/** The last picture that could be printed stays, greyed, while something is wrong. */
function show(_place, html) {
  const old = place.querySelector("img");
  place.innerHTML = html; // a template of ours, which escapes
  const isNew = Boolean(place.querySelector("img"));
  if (!isNew && old) {
    old.classList.add("is-old");
    place.prepend(old);
  }
  return isNew ? "drawn" : old ? "wrong" : "";
}

// The signatures

const list = document.querySelector("[data-rows]");
const add = document.querySelector("[data-add]");
const rows = () => [...list.querySelectorAll("[data-row]")];
const shown = () => rows().filter((row) => !row.hidden);
const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
const isEmpty = (row) => !field(row, "name").value && !field(row, "role").value && !field(row, "was").value;

function number() {
  const visible = shown();
  for (const row of rows()) field(row, "ORDER").value = "";
  visible.forEach((row, at) => {
    field(row, "ORDER").value = at + 1;
    row.querySelector("[data-number]").textContent = at + 1;
    row.querySelector("[data-move=up]").disabled = at === 0;
    row.querySelector("[data-move=down]").disabled = at === visible.length - 1;
  });
  add.hidden = visible.length === rows().length;
}

function away(row) {
  for (const one of row.querySelectorAll("input")) {
    if (one.type === "checkbox") one.checked = false;
    else one.value = "";
  }
  for (const one of row.querySelectorAll("[data-present]")) one.remove();
  field(row, "DELETE").checked = true;
  row.hidden = true;
  list.append(row);
  number();
  (shown().at(-1)?.querySelector("[data-move=away]") || add.querySelector("button")).focus();
}

function move(row, way) {
  const visible = shown();
  const at = visible.indexOf(row);
  const other = visible[at + (way === "up" ? -1 : 1)];
  if (!other) return;
  if (way === "up") other.before(row);
  else other.after(row);
  number();
  const button = row.querySelector(`[data-move=${way}]`);
  (button.disabled ? row.querySelector(`[data-move=${way === "up" ? "down" : "up"}]`) : button).focus();
}

for (const row of rows().sort((one, other) => (Number(field(one, "ORDER").value) || 9) - (Number(field(other, "ORDER").value) || 9))) {
  list.append(row);
  row.hidden = isEmpty(row) || field(row, "DELETE").checked;
  row.querySelector("[data-moves]").hidden = false;
  row.querySelector("[data-plain]").hidden = true;
  row.addEventListener("click", (event) => {
    const way = event.target.closest("[data-move]")?.dataset.move;
    if (!way) return;
    if (way === "away") away(row);
    else move(row, way);
    soon();
  });
}
add.addEventListener("click", () => {
  const row = rows().find((one) => one.hidden);
  if (!row) return;
  shown().at(-1)?.after(row);
  row.hidden = false;
  field(row, "DELETE").checked = false;
  number();
  field(row, "name").focus();
});
number();

if (!place.querySelector("img, .ct-problems") && form.elements.programme.value) soon(0);
