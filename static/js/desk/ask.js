// "Are you sure?", for what others feel. Answers the reason, or null for no.

import { partsOf } from "./page.js";

export function ask({ title, text, yes, reason = false }) {
  const dialog = document.getElementById("dk-ask");
  const part = partsOf(dialog);
  part["ask-title"].textContent = title;
  part["ask-text"].textContent = text;
  part["ask-yes"].textContent = yes;
  part["ask-reason"].hidden = !reason;
  const field = dialog.querySelector("input");
  field.value = "";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes" ? field.value : null), { once: true });
  });
}
