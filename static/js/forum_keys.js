// Keys of the forum: j and k walk through topics or posts, o opens, r answers, q quotes, l likes, e edits, m shows all
// that can be done, n begins a topic, u goes up to the list, ? shows all of them. What acts on a post is of the one that
// was walked to.
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
  const ofPost = (selector) => document.querySelector(".said.is-picked")?.querySelector(selector);
  const reply = () => {
    const one = ofPost("a[data-to]");
    if (one) one.click();
    else document.querySelector("#reply textarea, #reply a.btn")?.focus();
  };
  const acts = {
    j: () => pick(1),
    k: () => pick(-1),
    o: () => items()[at]?.querySelector(".thread-title")?.click(),
    r: reply,
    q: () => ofPost("a[data-quote]")?.click(),
    l: () => ofPost("button.act[formaction$='/reactions/like']:not(:disabled)")?.click(),
    e: () => ofPost("a[href$='/edit']")?.click(),
    m: () => ofPost("a[data-menu]")?.click(),
    n: () => document.querySelector("a.btn-primary[href^='/forum/new']")?.click(),
    u: () => document.querySelector(".topic-crumbs a.room-name")?.click(),
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
