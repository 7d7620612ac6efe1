// Where chapters begin and answers stand on the bar under a recording. For the eye: the lists beside it lead there for everybody.

/** From the buttons that jump: those of the chapters and of the answers. */
export function drawMarks(length) {
  const bar = document.querySelector("[data-part=coverage]");
  if (!bar || !length) return;
  const old = bar.querySelector(".timeline-marks");
  if (old) old.remove();
  const marks = document.createElement("span");
  marks.className = "timeline-marks";
  marks.setAttribute("aria-hidden", "true");
  for (const button of document.querySelectorAll("[data-do=jump]:not([hidden])")) {
    const mark = document.createElement("i");
    if (button.closest(".chapters")) mark.className = "is-chapter";
    mark.style.setProperty("left", `${Math.min(100, (Number(button.dataset.seconds) / length) * 100)}%`);
    marks.append(mark);
  }
  bar.append(marks);
}
