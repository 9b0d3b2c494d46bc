// <ul data-inbox>: j and k go through its lines, Enter opens one, e marks it as read, m mutes its place.
const lines = () => [...document.querySelectorAll("[data-inbox] > li")];

function go(step) {
  const all = lines();
  const now = all.findIndex((line) => line.classList.contains("is-current"));
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  all[now]?.classList.remove("is-current");
  next?.classList.add("is-current");
  next?.querySelector("a").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const current = document.querySelector("[data-inbox] > .is-current");
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "e") current?.querySelector("[data-act=read]").click();
  else if (event.key === "m") current?.querySelector("[data-act=mute]")?.click();
  else return;
  event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // The line that takes the place of the current one is the current one.
  if (event.target.classList?.contains("is-current")) {
    const id = event.target.id;
    document.addEventListener("htmx:afterSettle", () => document.getElementById(id)?.classList.add("is-current"), { once: true });
  }
});
