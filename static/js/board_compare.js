// The button of a board that compares: says how many models are chosen, and waits until there are two to five.
(() => {
  const form = document.getElementById("board-compare");
  const button = form?.querySelector(".board-compare");
  if (!button) return;
  const count = button.querySelector(".board-count");
  const show = () => {
    const chosen = form.querySelectorAll(".board-pick:checked").length;
    count.textContent = chosen ? `(${chosen})` : "";
    button.disabled = chosen < 2 || chosen > 5;
    button.classList.toggle("btn-primary", !button.disabled);
    form.classList.toggle("has-chosen", chosen > 0);
  };
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // a browser that goes back keeps what was chosen
  show();
})();
