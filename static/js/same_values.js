// <input type="hidden" data-same="#id"> sends what was typed into a field of another form on the page.
document.addEventListener("submit", (event) => {
  event.target.querySelectorAll("[data-same]").forEach((input) => {
    input.value = document.querySelector(input.dataset.same)?.value ?? input.value;
  });
});
