// Behaviour of attributes that any page may use: copy a text, ask before a dangerous form.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
  const before = button.getAttribute("aria-label") || button.textContent;
  button.classList.add("copied");
  button.setAttribute("aria-label", button.dataset.copied || before);
  setTimeout(() => { button.classList.remove("copied"); button.setAttribute("aria-label", before); }, 1500);
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}, true);
