// [data-go-on] of an unfinished upload fills the form with what was typed for it. Where the browser has kept handles of
// the files it goes on at once; else it leads to where they are chosen.
import { handlesOf } from "./upload_handles.js";

document.querySelectorAll("[data-go-on]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const form = document.querySelector("form[data-upload]");
    for (const name of ["folder", "title", "description"]) {
      if (form.elements[name]) form.elements[name].value = button.dataset[name];
    }
    form.scrollIntoView({ block: "start", behavior: "smooth" });
    const handles = await handlesOf(button.dataset.key);
    if (handles.length && await form.takeHandles(handles).catch(() => false)) return form.requestSubmit();
    document.querySelector("#go-on-hint").hidden = false;
    form.querySelector("input[name=files]").focus();
  });
});
