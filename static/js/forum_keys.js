// Keys of the forum: j and k walk through topics or posts, o opens, r replies, ? shows all of them.
(() => {
  const items = () => [...document.querySelectorAll(".thread, .said")];
  let at = -1;
  const pick = (step) => {
    const all = items();
    if (!all.length) return;
    if (at < 0) at = all.findIndex((one) => one.getBoundingClientRect().top > 0) - (step > 0 ? 1 : 0);
    all[at]?.classList.remove("is-picked");
    at = Math.min(Math.max(at + step, 0), all.length - 1);
    const one = all[at];
    one.classList.add("is-picked");
    one.scrollIntoView({ block: "nearest" });
    (one.querySelector(".thread-title") || one).focus({ preventScroll: true });
  };
  const reply = () => document.querySelector("#reply textarea, #reply a.btn")?.focus();
  const acts = {
    j: () => pick(1),
    k: () => pick(-1),
    o: () => items()[at]?.querySelector(".thread-title")?.click(),
    r: reply,
    "?": () => document.getElementById("keys")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, dialog[open], [contenteditable]")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
