// <select data-submit-on-change> sends its form as soon as another value is chosen; without it the button does.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});
