// Where the browser can give handles of chosen files, its own pickers are opened in place of those of the inputs.
(() => {
  const form = document.querySelector("form[data-upload]");
  const pick = async (input, open) => {
    try {
      await form.takeHandles(await open());
    } catch (error) {
      if (error.name === "AbortError") return; // the reader chose nothing
      input.dataset.plain = "true"; // these pickers are forbidden here
      input.click();
    }
  };
  const offer = (input, name, open) => {
    if (typeof window[name] !== "function") return;
    input.addEventListener("click", (event) => {
      if (input.dataset.plain) return;
      event.preventDefault();
      pick(input, open);
    });
  };
  offer(form.querySelector("input[name=files]"), "showOpenFilePicker", () => window.showOpenFilePicker({ multiple: true }));
  offer(form.querySelector("[data-folder-input]"), "showDirectoryPicker", async () => [await window.showDirectoryPicker()]);
})();
