// Django's two-sided chooser names its filter fields by a bare <span aria-label>, which screen readers may pass over: a
// role makes it a name. The chooser builds itself on load; this module is deferred, so that its listener comes second.
window.addEventListener("load", () => {
  for (const name of document.querySelectorAll(".selector .help-tooltip[aria-label]")) name.setAttribute("role", "img");
});

// On a phone each cell of a list carries the name of its column, which the theme writes as the field has it.
for (const cell of document.querySelectorAll("[data-label]")) {
  const label = cell.dataset.label.trim();
  cell.dataset.label = label.charAt(0).toLocaleUpperCase(document.documentElement.lang) + label.slice(1);
}
