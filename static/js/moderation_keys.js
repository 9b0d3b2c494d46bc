// Keys in the queue of moderators: j and k move, x chooses, Enter opens. Nothing else depends on them.
(() => {
  const rows = [...document.querySelectorAll("[data-case]")];
  if (!rows.length) return;
  let current = -1;
  const move = (step) => {
    rows[current]?.classList.remove("is-current");
    current = Math.min(Math.max(current + step, 0), rows.length - 1);
    rows[current].classList.add("is-current");
    rows[current].scrollIntoView({ block: "nearest" });
    rows[current].querySelector("a")?.focus({ preventScroll: true });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x" && current >= 0) rows[current].querySelector("input[type=checkbox]")?.click();
    else return;
    event.preventDefault();
  });
})();
