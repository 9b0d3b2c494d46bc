// The bell looks again every 45 seconds, but only while its page is seen, and when a reader comes back to it.
const EVERY = 45_000;
let looked = Date.now();

function look() {
  if (document.visibilityState !== "visible" || Date.now() - looked < EVERY - 1000) return;
  looked = Date.now();
  document.getElementById("bell")?.dispatchEvent(new Event("look"));
}

if (document.getElementById("bell")) {
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
