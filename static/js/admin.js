// Django's two-sided chooser names its filter fields by a bare <span aria-label>, which screen readers may pass over: a
// role makes it a name. The chooser builds itself on load; this module is deferred, so that its listener comes second.
window.addEventListener("load", () => {
  for (const name of document.querySelectorAll(".selector .help-tooltip[aria-label]")) name.setAttribute("role", "img");
});
