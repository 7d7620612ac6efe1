// The waiting room asks how it stands and opens the page that was wanted. For every browser there is: whatever fails
// ends in loading the page again, which keeps the place.
(function () {
  var body = document.body;

  function again(seconds) {
    setTimeout(ask, Math.max(2, Number(seconds) || 5) * 1000);
  }

  function reload() {
    location.reload();
  }

  function show(id, text) {
    var place = document.getElementById(id);
    if (place && text && place.textContent !== text) place.textContent = text;
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", body.getAttribute("data-address"));
    request.timeout = 15000;
    request.onload = function () {
      var answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch (error) {
        return reload();
      }
      if (request.status !== 200 || answer.open || Boolean(answer.people) !== Boolean(document.getElementById("people"))) return reload();
      show("time", answer.time);
      show("people", answer.people);
      again(answer.after);
    };
    request.onerror = request.ontimeout = function () {
      again(5 + Math.random() * 10);
    };
    request.send();
  }

  again(body.getAttribute("data-after"));
})();
