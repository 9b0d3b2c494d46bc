// [data-go-on] of an unfinished upload fills the form with what was typed for it, and leads to where its files are chosen.
document.querySelectorAll("[data-go-on]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    const form = document.querySelector("form[data-upload]");
    for (const name of ["folder", "title", "description"]) {
      if (form.elements[name]) form.elements[name].value = button.dataset[name];
    }
    document.querySelector("#go-on-hint").hidden = false;
    form.querySelector("input[name=files]").focus();
    form.scrollIntoView({ block: "start", behavior: "smooth" });
  });
});
