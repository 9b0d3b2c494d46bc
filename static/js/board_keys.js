// Keys of a board: j and k go through its models, Enter opens one, x chooses it to compare, / leads to the search.
(() => {
  const rows = () => [...document.querySelectorAll(".board-row")];
  let at = -1;
  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    all[at]?.classList.remove("is-current");
    at = Math.min(Math.max(at + step, 0), all.length - 1);
    all[at].classList.add("is-current");
    all[at].scrollIntoView({ block: "nearest" });
    all[at].querySelector(".board-link").focus({ preventScroll: true });
  };
  const acts = {
    j: () => go(1),
    k: () => go(-1),
    x: () => rows()[at]?.querySelector(".board-pick")?.click(),
    "/": () => document.getElementById("board-words")?.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable]")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // the search of the whole site listens to the same key
    act();
  }, { capture: true });
})();
