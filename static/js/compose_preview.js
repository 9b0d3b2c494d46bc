// The preview of a box in which people write: the portal renders the text as it would be shown.
for (const box of document.querySelectorAll("[data-compose]")) {
  const area = box.querySelector("textarea");
  const shown = box.querySelector(".compose-preview");
  const tabs = [...box.querySelectorAll("[data-tab]")];
  const render = async () => {
    const form = new FormData();
    form.set("text", area.value);
    form.set("repo", box.dataset.repo ?? "");
    form.set("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
    shown.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch("/forum/preview", { method: "POST", body: form });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok) shown.replaceChildren(...page.body.childNodes);
    } finally {
      shown.removeAttribute("aria-busy");
    }
  };
  const show = (name) => {
    for (const tab of tabs) {
      tab.classList.toggle("active", tab.dataset.tab === name);
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
    }
    shown.hidden = name !== "preview";
    area.hidden = name === "preview";
    if (name === "preview") render();
    else area.focus();
  };
  for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.tab));
}
