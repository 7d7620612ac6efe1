// The page where questions are written. Everything on it works without this; with it the preview follows the typing, rows come
// without a new page, and areas of a picture are chosen in it.

const WAIT_MS = 500;
const form = document.querySelector("[data-editor]");
const frame = document.querySelector("[data-frame]");
let timer = 0;
let running = null;
let chosen = null;  // a file that has not arrived yet
let isDirty = false;

if (form && frame) begin();

function begin() {
  document.querySelector("[data-without-script]").hidden = true;
  form.querySelector("[data-look-button]").hidden = true;
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("click", clicked);
  form.addEventListener("submit", () => { isDirty = false; });
  window.addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
  isDirty = "unsaved" in form.dataset;
  dress(form);
  look();
}

function dress(area) {
  for (const moves of area.querySelectorAll("[data-moves]")) {
    moves.hidden = false;
    const place = moves.parentElement.querySelector(".ed-place");
    if (place) place.hidden = true;
  }
  for (const text of area.querySelectorAll("textarea[data-rich]")) tools(text);
  const help = document.querySelector("[data-picker-help]");
  const picker = document.querySelector("[data-picker]");
  if (help) help.hidden = false;
  if (picker) picker.classList.add("choosing");
}

function changed(event) {
  isDirty = true;
  const row = event.target.closest("[data-row]");
  if (row && event.target.name.endsWith("-gone")) row.classList.toggle("ed-gone", event.target.checked);
  clearTimeout(timer);
  if (event.target.type === "file") chosen = event.target;
  timer = setTimeout(look, WAIT_MS);
}

function clicked(event) {
  const adds = event.target.closest("[data-adds]");
  const move = event.target.closest("[data-move]");
  const cell = event.target.closest("[data-cell]");
  if (adds) {
    event.preventDefault();
    more(adds.value);
  } else if (move) shift(move.closest("[data-row]"), Number(move.dataset.move));
  else if (cell) corner(cell);
}

/** What is in the form; files only when one was just chosen, for they can be large. */
function sent(file = null) {
  const data = new FormData(form);
  for (const input of form.querySelectorAll("input[type=file]")) if (input !== file) data.delete(input.name);
  return data;
}

async function look() {
  const file = chosen;
  if (running) running.abort();
  running = new AbortController();
  const { signal } = running;
  try {
    const answer = await fetch(form.dataset.look, { method: "POST", body: sent(file), credentials: "same-origin", signal });
    if (!answer.ok) return;
    const text = await answer.text();
    if (!signal.aborted) show(text, file);
  } catch (error) {
    if (error.name !== "AbortError") console.info("No preview:", error.message);
  }
}

/** Into the page that is in the frame already, so that nothing flickers and it stays where it was scrolled to. */
function show(text, file) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("look");
  if (!fresh) return;
  const numbers = JSON.parse(page.getElementById("look-stored").textContent);
  const old = frame.contentDocument && frame.contentDocument.getElementById("look");
  if (old) old.replaceWith(frame.contentDocument.adoptNode(fresh));
  else frame.srcdoc = text;
  if (file) stored(numbers, file);
}

/** A picture is in the bank now: its number stands for it from here on. */
function stored(numbers, file) {
  const name = file.name.replace(/-file$/, "-image");
  if (!numbers[name]) return;
  form.elements[name].value = numbers[name];
  file.value = "";
  chosen = null;
  more("", file.closest("[data-table]").dataset.table);
}

/** The server makes the rows: they are the same as without a script. */
async function more(adds, table = adds) {
  const data = sent();
  data.set("adds", adds || "-");
  const answer = await fetch(window.location.href, { method: "POST", body: data, credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const place = form.querySelector(`#table-${table}`);
  const fresh = page.getElementById(`table-${table}`);
  if (!place || !fresh) return;
  const count = place.querySelectorAll("[data-row]").length;
  const made = document.adoptNode(fresh);
  place.replaceWith(made);
  picture(page);
  dress(made);
  const first = made.querySelectorAll("[data-row]")[count];
  if (adds && first) first.querySelector("textarea, input:not([type=hidden])").focus();
}

function picture(page) {
  const old = form.querySelector("[data-picker]");
  const fresh = page.querySelector("[data-picker]");
  if (old && fresh) old.replaceWith(document.adoptNode(fresh));
  else if (fresh) form.querySelector("#table-target").after(document.adoptNode(fresh.closest(".ed-box")));
}

function shift(row, by) {
  const rows = [...row.parentElement.children];
  const other = rows[rows.indexOf(row) + by];
  if (!other) return;
  if (by < 0) other.before(row);
  else other.after(row);
  [...row.parentElement.children].forEach((one, index) => {
    one.querySelector("[name$='-place']").value = index + 1;
    for (const number of one.querySelectorAll("[data-number]")) number.textContent = index + 1;
  });
  row.querySelector(`[data-move="${by}"]`).focus();
  isDirty = true;
  look();
}

// Areas of a picture: the first corner, then the second; into the row one was last in, or the first that is empty.

let first = null;

function corner(cell) {
  if (!first) {
    first = cell;
    cell.classList.add("corner");
    return;
  }
  const rows = [...form.querySelectorAll("[data-table='areas'] [data-row]")];
  const field = (row, name) => row.querySelector(`[name$='-${name}']`);
  const row = rows.find((one) => !field(one, "first").value && !field(one, "drawn").value) || rows[rows.length - 1];
  field(row, "first").value = first.dataset.cell;
  field(row, "last").value = cell.dataset.cell;
  first.classList.remove("corner");
  first = null;
  isDirty = true;
  look();
  more("-", "areas");
}

// Buttons above a text: the tags that a plain text does not have.

function tools(text) {
  if (text.previousElementSibling && text.previousElementSibling.matches(".ed-tools")) return;
  const bar = document.createElement("div");
  bar.className = "ed-tools";
  const kinds = [["strong", "B", form.dataset.bold], ["em", "I", form.dataset.italic], ["sub", "x₂", form.dataset.sub], ["sup", "x²", form.dataset.sup]];
  for (const [tag, sign, label] of kinds) bar.append(tool(sign, label, () => wrap(text, `<${tag}>`, `</${tag}>`)));
  bar.append(tool("•", form.dataset.list, () => list(text)));
  text.before(bar);
}

function tool(sign, label, work) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = sign;
  button.setAttribute("aria-label", label);
  button.title = label;
  button.tabIndex = -1;  // by keyboard one types the tags; five more stops at each of twenty fields are no help
  button.addEventListener("click", work);
  return button;
}

function wrap(text, before, after) {
  const { selectionStart: start, selectionEnd: end, value } = text;
  text.setRangeText(before + value.slice(start, end) + after, start, end, "end");
  if (start === end) text.selectionStart = text.selectionEnd = start + before.length;
  tell(text);
}

function list(text) {
  const { selectionStart: start, selectionEnd: end, value } = text;
  const from = value.lastIndexOf("\n", start - 1) + 1;
  const lines = value.slice(from, end).split("\n").map((line) => `- ${line}`).join("\n");
  text.setRangeText((from && value[from - 2] !== "\n" ? "\n" : "") + lines, from, end, "end");
  tell(text);
}

function tell(text) {
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
