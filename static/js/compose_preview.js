// The preview of a box in which people write: the portal renders the text as it would be shown. Beside the text it
// follows the keys; how somebody likes to write is remembered by the browser.
for (const box of document.querySelectorAll("[data-compose]")) {
  const KEPT = "compose-look";
  const PAUSE = 600;
  const area = box.querySelector("textarea");
  const shown = box.querySelector(".compose-preview");
  const tabs = [...box.querySelectorAll("[data-tab]")];
  const both = box.querySelector("[data-tab=both]");
  let timer = 0;
  let asked;
  let rendered = null;
  const render = async () => {
    clearTimeout(timer);
    if (area.value === rendered) return;
    asked?.abort();
    asked = new AbortController();
    const text = area.value;
    const form = new FormData();
    form.set("text", text);
    form.set("repo", box.dataset.repo ?? "");
    form.set("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
    shown.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch("/forum/preview", { method: "POST", body: form, signal: asked.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) return;
      shown.replaceChildren(...page.body.childNodes);
      rendered = text;
    } catch {
      // Another key came, or the portal does not answer: what was shown stays.
    } finally {
      if (area.value === text) shown.removeAttribute("aria-busy");
    }
  };
  const show = (name) => {
    box.dataset.look = name;
    for (const tab of tabs) {
      tab.classList.toggle("active", tab.dataset.tab === name);
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
    }
    shown.hidden = name === "write";
    area.hidden = name === "preview";
    if (name !== "write") render();
  };
  const isWide = () => both.offsetParent !== null;
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      show(tab.dataset.tab);
      if (tab.dataset.tab !== "preview") area.focus();
      if (tab.dataset.tab !== "preview" && isWide()) localStorage.setItem(KEPT, tab.dataset.tab);
    });
  }
  area.addEventListener("input", () => {
    clearTimeout(timer);
    if (!shown.hidden) timer = setTimeout(render, PAUSE);
  });
  if (localStorage.getItem(KEPT) === "both" && isWide()) show("both");
  // The window became too narrow for two: the text alone stays.
  window.addEventListener("resize", () => { if (box.dataset.look === "both" && !isWide()) show("write"); });
}
