// The search box of the navigation: “/” leads there, arrows walk through what it offers, Escape shuts it.
const box = document.getElementById("search-box");
const list = () => document.getElementById("suggestions");
const options = () => [...list().querySelectorAll("[role=option]")];

function choose(option) {
  options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
  if (option) box.setAttribute("aria-activedescendant", option.id);
  else box.removeAttribute("aria-activedescendant");
}

function show(open) {
  box.setAttribute("aria-expanded", String(open));
  list().hidden = !open;
  if (!open) choose(null);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !box.offsetParent) return;
  event.preventDefault();
  box.focus();
});

box.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") show(false);
  else if (event.key === "Enter" && at >= 0) all[at].querySelector("a").click();
  else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
    show(true);
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
  } else return;
  event.preventDefault();
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "suggestions") show(box.value.trim() !== "" && options().length > 0);
});
document.addEventListener("focusin", (event) => {
  if (!event.target.closest("#search-form")) show(false);
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#search-form")) show(false);
});
