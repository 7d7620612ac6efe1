/* For browsers with JavaScript but without modules: keeps the native video open and says honestly that nothing counts. */
(function () {
  "use strict";
  function start() {
    if (!document.getElementById("player-config")) return;
    var config = JSON.parse(document.getElementById("player-config").textContent);
    var frame = document.createElement("iframe");
    var note = document.getElementById("old-browser");
    frame.src = config.urls.keep_alive;
    frame.className = "watch-keep-alive";
    frame.setAttribute("tabindex", "-1");
    frame.setAttribute("aria-hidden", "true");
    note.parentNode.appendChild(frame);
    note.removeAttribute("hidden");
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
