// A form in which people write is sent once, however often its button is pressed, and not before its pictures are there.
// One that was refused begins at the first field that is wrong.
for (const box of document.querySelectorAll("[data-compose]")) {
  const form = box.querySelector("textarea").form;
  form.querySelector("[aria-invalid=true]")?.focus();
  let isSent = false;
  // Before all others: what is not sent must not look sent to them.
  form.addEventListener("submit", (event) => {
    if (isSent || "busy" in box.dataset) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    isSent = !("busy" in box.dataset);
  }, { capture: true });
  // Somebody comes back to the page, which the browser kept as it was.
  window.addEventListener("pageshow", () => { isSent = false; });
}
