// [data-copy="#id"] copies the text or value of another element.
// Plain HTTP on a local network has no clipboard API, so the old command is the second way.
(() => {
  const copyText = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    await copyText(source.value ?? source.textContent.trim());
    const before = button.getAttribute("aria-label");
    button.classList.add("copied");
    if (button.dataset.copied) button.setAttribute("aria-label", button.dataset.copied);
    setTimeout(() => {
      button.classList.remove("copied");
      if (before === null) button.removeAttribute("aria-label");
      else button.setAttribute("aria-label", before);
    }, 1500);
  });
})();
