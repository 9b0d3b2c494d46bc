// <a data-fill="#id" data-value="text"> writes into a field what its address would fill in on a new page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fill]");
  const field = link && document.querySelector(link.dataset.fill);
  if (!field) return;
  event.preventDefault();
  field.value = link.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
