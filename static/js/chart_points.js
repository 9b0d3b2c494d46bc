// Says what a point of a chart is where the pointer or the focus is; arrows go from point to point, from left to right.
document.querySelectorAll("[data-points]").forEach((box) => {
  const points = [...box.querySelectorAll(".chart-point")];
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // the name of the point says the same
  box.append(tip);
  const across = (point) => parseFloat(point.querySelector("circle").getAttribute("cx"));
  const ordered = [...points].sort((one, other) => across(one) - across(other));
  const show = (point) => {
    const frame = box.getBoundingClientRect();
    const place = point.querySelector("circle").getBoundingClientRect();
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    const half = tip.offsetWidth / 2;
    const x = place.left + place.width / 2 - frame.left;
    tip.style.left = `${Math.min(Math.max(x, half), frame.width - half)}px`;
    tip.style.top = `${Math.max(place.top - frame.top, tip.offsetHeight)}px`;
  };
  const hide = () => { tip.hidden = true; };
  points.forEach((point) => {
    point.addEventListener("pointerenter", () => show(point));
    point.addEventListener("pointerleave", hide);
    point.addEventListener("focus", () => show(point));
    point.addEventListener("blur", hide);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = ordered.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    ordered[Math.min(Math.max(at + step, 0), ordered.length - 1)].focus();
  });
});
