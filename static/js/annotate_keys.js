// <form data-annotate>: digits choose labels, arrows and letters do the rest. Without this file all of it is buttons.
(() => {
  const form = document.querySelector("form[data-annotate]");
  const act = (name) => document.querySelector(`[data-act=${name}]`);
  const tags = form ? [...form.querySelectorAll("select[name=label]")] : [];
  const mark = (select) => select.classList.toggle("is-named", select.selectedOptions[0]?.text !== "O");
  for (const select of tags) select.addEventListener("change", () => mark(select));
  if (tags.length) tags[0].focus({ preventScroll: true });

  const move = (step) => {
    const at = tags.indexOf(document.activeElement);
    tags[Math.min(Math.max(at + step, 0), tags.length - 1)].focus();
  };
  const choose = (digit) => {
    if (!tags.length) return document.querySelector(`[data-key="${digit}"]`)?.click();
    const select = tags.includes(document.activeElement) ? document.activeElement : tags[0];
    if (digit > select.options.length) return undefined;
    select.selectedIndex = digit - 1;
    mark(select);
    select.focus();
    return move(1);
  };
  const keys = {
    ArrowLeft: () => (tags.length ? move(-1) : act("previous")?.click()),
    ArrowRight: () => (tags.length ? move(1) : (act("skip") ?? act("next"))?.click()),
    Enter: () => act("send")?.click(),
    u: () => act("undo")?.click(),
    g: () => act("guess")?.click(),
    s: () => act("skip")?.click(),
  };

  // A key that is pressed while an answer is on its way is meant for the next row, and must not change this one.
  let isSent = false;
  document.addEventListener("submit", () => { isSent = true; });
  window.addEventListener("pageshow", () => { isSent = false; });

  document.addEventListener("keydown", (event) => {
    if (isSent) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const field = event.target.closest("input, select, textarea, button, a");
    if (field && !form?.contains(field) && field.matches("input, select, textarea")) return;
    // A button or link that has the focus keeps its own Enter.
    if (event.key === "Enter" && field?.matches("button, a")) return;
    if (/^[1-9]$/.test(event.key)) choose(Number(event.key));
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
})();
