// A meeting elsewhere: this page says every half minute that it is still open, from the moment the doctor went there.

const KEEP_MILLISECONDS = 30000;

export function keepPresent(form, wire) {
  if (!form || form.dataset.runs) return;
  form.dataset.runs = "true";
  let timer = null;
  const keep = async () => {
    if (!form.isConnected) {
      clearInterval(timer);
      return;
    }
    try {
      await wire.post(form.dataset.keep, {});
    } catch (error) {
      if (error.status === 404) clearInterval(timer); // nobody went there, or it is over
    }
  };
  const start = () => {
    clearInterval(timer);
    timer = setInterval(keep, KEEP_MILLISECONDS);
  };
  form.addEventListener("submit", start);
  document.addEventListener("visibilitychange", () => document.hidden || timer === null || keep());
  keep();
  start(); // a page that was reloaded during the meeting goes on
}
