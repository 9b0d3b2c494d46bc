// [data-copy-code] gives each block of code in it a button that copies it; copy.js does the copying.
(() => {
  for (const text of document.querySelectorAll("[data-copy-code]")) {
    text.querySelectorAll(".highlight > pre").forEach((block, number) => {
      block.id ||= `code-${number}`;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn-copy";
      button.dataset.copy = `#${block.id}`;
      button.dataset.copied = text.dataset.copiedLabel;
      button.setAttribute("aria-label", text.dataset.copyLabel);
      const icon = document.createElement("i");
      icon.className = "bi bi-clipboard";
      icon.setAttribute("aria-hidden", "true");
      button.append(icon);
      block.parentElement.append(button);
    });
  }
})();
