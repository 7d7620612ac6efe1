// Beside the words of a message or a campaign the look follows what is typed, and two braces bring a choice of placeholders.
// Without this script a button shows the look, and the placeholders stand in a list.

import { completePlaceholders } from "./completing.js";
import { follow } from "./live-look.js";

const form = document.querySelector("[data-words-form]");
const soon = follow({
  form,
  place: document.querySelector("[data-look-place]"),
  state: document.querySelector("[data-state]"),
});
completePlaceholders(form, () => soon());
