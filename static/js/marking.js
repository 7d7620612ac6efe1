// The marking form by keyboard: one begins to type, Ctrl+Enter saves from everywhere in it, and the sum of a rubric is told while one types.
// Without this script every field and button works as well.

const form = document.querySelector("form[data-mark]");
const sum = form?.querySelector("[data-sum]");

const read = (text) => {
  const plain = text.trim().replace(",", ".");
  return /^\d+(\.\d*)?$/.test(plain) ? Number(plain) : NaN;
};

const tell = () => {
  const fields = [...form.querySelectorAll("[name^=criterion-]")];
  const given = fields.map((field) => read(field.value));
  sum.hidden = given.some(Number.isNaN);
  if (sum.hidden) return;
  const total = given.reduce((one, two) => one + two, 0);
  sum.querySelector("[data-total]").value = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 }).format(total);
};

form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.querySelector(".form-actions .button").click();
});
// Where the form stands beside the answer; on a phone it would scroll away what is to be read first.
if (form && window.matchMedia("(min-width: 900px)").matches) {
  const first = form.querySelector(".invalid input, .invalid textarea") ?? form.querySelector("[name^=criterion-], [name=points]");
  first?.focus({ preventScroll: true });
}
if (sum) {
  form.addEventListener("input", tell);
  tell();
}
