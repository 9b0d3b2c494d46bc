// Pictures that are pasted into a box in which people write, dropped on it, or chosen: sent, then named in the text.
for (const box of document.querySelectorAll("[data-compose]")) {
  const area = box.querySelector("textarea");
  const note = box.querySelector(".compose-note");
  const say = (text, isWrong) => {
    note.textContent = text;
    note.classList.toggle("text-danger", isWrong);
  };
  const send = async (file) => {
    const mark = `![${file.name.replace(/[[\]\n]/g, "")}](…)`;
    area.setRangeText(`${mark}\n`, area.selectionStart, area.selectionEnd, "end");
    box.dataset.busy = "";
    say(box.dataset.sending, false);
    let text = "";
    try {
      const token = area.form.elements.csrfmiddlewaretoken.value;
      const headers = { "X-CSRFToken": token, "Content-Type": "application/octet-stream" };
      const answer = await fetch("/forum/pictures", { method: "POST", headers, body: file });
      const told = await answer.json();
      say(told.error ?? "", !answer.ok);
      if (answer.ok) text = mark.replace("…", told.path);
    } catch {
      say(box.dataset.failed, true);
    }
    delete box.dataset.busy;
    area.value = area.value.replace(text ? mark : `${mark}\n`, () => text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const take = (event, files) => {
    const pictures = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    pictures.reduce((before, file) => before.then(() => send(file)), Promise.resolve());
  };
  area.addEventListener("keydown", () => note.classList.remove("text-danger"));
  area.addEventListener("paste", (event) => take(event, event.clipboardData?.files));
  area.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  area.addEventListener("drop", (event) => take(event, event.dataTransfer?.files));
  box.querySelector("[data-picture]").addEventListener("change", (event) => {
    take(event, event.target.files);
    event.target.value = "";
  });
}
