// Completes @names in a box in which people write: a list under it, walked with the arrows, taken with Enter or Tab.
for (const box of document.querySelectorAll("[data-compose]")) {
  const area = box.querySelector("textarea");
  const list = box.querySelector(".compose-names");
  let asked;
  const begun = () => /(?:^|[^\w/@.-])@(\w[\w.-]*)$/.exec(area.value.slice(0, area.selectionStart))?.[1];
  const close = () => { list.hidden = true; };
  const take = (row) => {
    const start = area.selectionStart - (begun()?.length ?? 0);
    area.setRangeText(`${row.dataset.name} `, start, area.selectionStart, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  };
  const row = ({ name, title }) => {
    const made = document.createElement("li");
    made.className = "dropdown-item";
    made.setAttribute("role", "option");
    made.dataset.name = name;
    made.textContent = title && title !== name ? `@${name} – ${title}` : `@${name}`;
    made.addEventListener("pointerdown", (event) => { event.preventDefault(); take(made); });
    return made;
  };
  const pick = (at) => [...list.children].forEach((each, index) => {
    each.classList.toggle("active", index === at);
    each.setAttribute("aria-selected", String(index === at));
  });
  area.addEventListener("input", async () => {
    asked?.abort();
    const start = begun();
    if (!start) return close();
    asked = new AbortController();
    try {
      const answer = await fetch(`/forum/names?start=${encodeURIComponent(start)}`, { signal: asked.signal });
      const rows = (await answer.json()).names.map(row);
      list.replaceChildren(...rows);
      list.hidden = !rows.length;
      pick(0);
    } catch {
      // Another letter came, or the portal does not answer: nothing to complete.
    }
  });
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const rows = [...list.children];
    const at = rows.findIndex((each) => each.classList.contains("active"));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) pick((at + step + rows.length) % rows.length);
    else if (event.key === "Enter" || event.key === "Tab") take(rows[Math.max(at, 0)]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  area.addEventListener("blur", close);
}
