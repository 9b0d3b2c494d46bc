// A click on a line's number puts #L10 into the address, with Shift #L10-L20; such an address marks and shows its lines.
(() => {
  const GUTTER = 64; // where the numbers stand, in pixels
  const wanted = () => /^#L(\d+)(?:-L(\d+))?$/.exec(window.location.hash);
  const mark = (scroll) => {
    document.querySelectorAll(".code .line-marked").forEach((line) => line.classList.remove("line-marked"));
    const found = wanted();
    if (!found) return;
    const first = Math.min(found[1], found[2] ?? found[1]);
    const last = Math.max(found[1], found[2] ?? found[1]);
    for (let number = first; number <= last; number += 1) {
      const line = document.getElementById(`L${number}`);
      if (!line) break;
      line.classList.add("line-marked");
      if (scroll && number === first) line.scrollIntoView({ block: "center" });
    }
  };
  document.addEventListener("click", (event) => {
    const line = event.target.closest?.(".code code > span[id^=L]");
    if (!line || event.clientX - line.getBoundingClientRect().left > GUTTER) return;
    const before = wanted();
    const hash = event.shiftKey && before ? `#L${before[1]}-${line.id}` : `#${line.id}`;
    window.getSelection().removeAllRanges(); // Shift and a click select text
    window.history.replaceState(null, "", hash);
    mark(false);
  });
  window.addEventListener("hashchange", () => mark(true));
  mark(true);
})();
