// The key y leads from a branch or tag to the same place at its commit, whose address never changes its meaning.
document.addEventListener("keydown", (event) => {
  const link = document.querySelector("[data-permalink]");
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (!link || isTyping || event.key !== "y" || event.ctrlKey || event.metaKey || event.altKey) return;
  window.location.assign(link.href + window.location.hash);
});
