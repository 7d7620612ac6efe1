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

// The tabs of a form's sections are links that lead nowhere, which no keyboard reaches: here they are buttons.
for (const tab of document.querySelectorAll("nav a:not([href])")) {
  tab.tabIndex = 0;
  tab.setAttribute("role", "button");
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    tab.click();
  });
}

// A field that searches (Select2) is read out by what is chosen in it, and has no name while nothing is: its label is one.
// It builds itself some time after the page has loaded, and again for every row that is added: it is named as it appears.
function nameSearches() {
  for (const field of document.querySelectorAll("select.select2-hidden-accessible")) {
    const chosen = document.getElementById(`select2-${field.id}-container`);
    const label = field.labels && field.labels[0];
    if (!chosen || !label) continue;
    label.id = label.id || `${field.id}-label`;
    chosen.setAttribute("aria-labelledby", label.id);
    chosen.closest("[role=combobox]").setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
  }
}
if (document.querySelector("select.admin-autocomplete")) {
  new MutationObserver(nameSearches).observe(document.body, { childList: true, subtree: true });
  nameSearches();
}
