// <textarea data-editor> in an .editor-box gets line numbers beside it.
for (const area of document.querySelectorAll(".editor-box textarea[data-editor]")) {
  const lines = document.createElement("pre");
  lines.className = "editor-lines";
  lines.setAttribute("aria-hidden", "true");
  area.before(lines);
  let count = 0;
  const write = () => {
    const now = area.value.split("\n").length;
    if (now !== count) lines.textContent = Array.from({ length: now }, (_, index) => index + 1).join("\n") + "\n\n";
    count = now;
    lines.scrollTop = area.scrollTop;
  };
  const fit = () => { lines.style.height = `${area.offsetHeight}px`; };
  area.addEventListener("input", write);
  area.addEventListener("scroll", () => { lines.scrollTop = area.scrollTop; });
  new ResizeObserver(fit).observe(area);
  write();
}
