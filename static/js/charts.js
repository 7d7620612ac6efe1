/**
 * Values of a curve under the pointer or the arrow keys. The picture and the words come from the server (`chart-rows`); here a
 * line is moved and a sentence is put together. Without this script the table under the chart says the same.
 *
 * Listens on the document, and looks for charts whenever something is put into the page: a fragment may bring one later. Who was
 * reading a chart that has just been replaced goes on reading the new one at the same place.
 */
const SVG = "http://www.w3.org/2000/svg";
const known = new WeakMap();
let reading = null; // {id, index, hasFocus} of the figure that shows a value

/** {rows, labels, plot, reader, readout, line, index} of a figure, made when somebody first comes near it. */
function readerOf(figure) {
  if (known.has(figure)) return known.get(figure);
  const data = figure.querySelector("script.chart-rows");
  const plot = figure.querySelector(".chart-plot");
  if (!data || !plot) return null;
  const { labels, rows } = JSON.parse(data.textContent);
  if (!rows.length) return null;
  const picture = plot.querySelector(".chart-svg");
  const line = document.createElementNS(SVG, "line");
  line.setAttribute("class", "chart-cursor");
  line.setAttribute("y1", "0");
  line.setAttribute("y2", picture.querySelector(":scope > svg").getAttribute("height"));
  line.setAttribute("visibility", "hidden");
  picture.append(line);
  const made = { figure, labels, rows, plot, picture, line, index: -1, readout: figure.querySelector(".chart-readout") };
  made.reader = figure.querySelector(".chart-reader");
  known.set(figure, made);
  return made;
}

/** Gives every curve that can be read a place for the keyboard. */
function prepare(root) {
  for (const data of root.querySelectorAll("script.chart-rows")) {
    const figure = data.closest(".chart");
    const plot = figure.querySelector(".chart-plot");
    if (!plot || figure.querySelector(".chart-reader")) continue;
    const readout = document.createElement("output");
    readout.className = "chart-readout";
    readout.setAttribute("aria-hidden", "true");
    plot.before(readout);
    const reader = document.createElement("div");
    reader.className = "chart-reader";
    reader.tabIndex = 0;
    reader.setAttribute("role", "slider");
    reader.setAttribute("aria-labelledby", plot.querySelector("[aria-labelledby]").getAttribute("aria-labelledby"));
    reader.setAttribute("aria-valuemin", "1");
    reader.setAttribute("aria-valuemax", String(JSON.parse(data.textContent).rows.length));
    reader.setAttribute("aria-valuenow", "1");
    plot.append(reader);
    const made = readerOf(figure);
    if (!made) continue;
    reader.setAttribute("aria-valuetext", sentence(made, 0));
    if (reading && reading.id === figure.id) goOn(made, reading);
  }
}

function goOn(made, { index, hasFocus }) {
  if (hasFocus && document.activeElement === document.body) made.reader.focus({ preventScroll: true });
  show(made, index);
}

function sentence({ rows, labels }, index) {
  const [, at, ...values] = rows[index];
  return `${at} · ${values.map((value, n) => (labels.length > 1 ? `${labels[n]} ${value}` : value)).join(" · ")}`;
}

function show(made, index) {
  made.index = Math.max(0, Math.min(made.rows.length - 1, index));
  const share = `${made.rows[made.index][0]}%`;
  made.line.setAttribute("x1", share);
  made.line.setAttribute("x2", share);
  made.line.setAttribute("visibility", "visible");
  const text = sentence(made, made.index);
  made.readout.textContent = text;
  made.reader.setAttribute("aria-valuenow", String(made.index + 1));
  made.reader.setAttribute("aria-valuetext", text);
  reading = { id: made.figure.id, index: made.index, hasFocus: document.activeElement === made.reader };
}

function hide(made) {
  made.line.setAttribute("visibility", "hidden");
  made.readout.textContent = "";
  // A browser also says so when the chart is taken away; only afterwards one knows whether it was.
  queueMicrotask(() => {
    if (made.figure.isConnected && reading && reading.id === made.figure.id) reading = null;
  });
}

/** The row nearest to a pointer. Time runs from left to right on every page. */
function nearest(made, x) {
  const box = made.picture.getBoundingClientRect();
  const share = ((x - box.left) / box.width) * 100;
  let best = 0;
  made.rows.forEach((row, n) => {
    if (Math.abs(row[0] - share) < Math.abs(made.rows[best][0] - share)) best = n;
  });
  return best;
}

const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };

function at(event) {
  const reader = event.target instanceof Element ? event.target.closest(".chart-reader") : null;
  return reader ? readerOf(reader.closest(".chart")) : null;
}

document.addEventListener("pointermove", (event) => {
  const made = at(event);
  if (made) show(made, nearest(made, event.clientX));
});
document.addEventListener("pointerdown", (event) => {
  const made = at(event);
  if (made) show(made, nearest(made, event.clientX));
});
document.addEventListener("pointerout", (event) => {
  const made = at(event);
  if (made && document.activeElement !== made.reader) hide(made);
});
document.addEventListener("focusin", (event) => {
  const made = at(event);
  if (made && made.index < 0) show(made, 0);
});
document.addEventListener("focusout", (event) => {
  const made = at(event);
  if (made) hide(made);
});
document.addEventListener("keydown", (event) => {
  const made = at(event);
  if (!made || !(event.key in STEPS)) return;
  event.preventDefault();
  show(made, made.index + STEPS[event.key]);
});
new MutationObserver(() => prepare(document)).observe(document.body, { childList: true, subtree: true });
prepare(document);
