// The category of a new topic: what belongs there is said below it, and its template takes the place of the one before,
// as long as that stands at the end of the text as it was.
(() => {
  const rooms = new Map([...document.querySelectorAll("#rooms > [data-slug]")].map((one) => [one.dataset.slug, one]));
  const select = document.querySelector("select[name=category]");
  const area = select.form.elements.text;
  const hint = document.createElement("div");
  hint.className = "form-hint mt-1";
  hint.id = `${select.id}_helptext`;
  select.setAttribute("aria-describedby", hint.id);
  select.after(hint);
  let before = rooms.get(select.value);
  const tell = () => { hint.textContent = before?.dataset.about ?? ""; };
  select.addEventListener("change", () => {
    const now = rooms.get(select.value);
    const old = before?.textContent ?? "";
    const facts = area.value.endsWith(old) ? area.value.slice(0, area.value.length - old.length) : null;
    if (facts !== null && (old || !facts)) area.value = facts + (now?.textContent ?? "");
    before = now;
    tell();
  });
  tell();
})();
