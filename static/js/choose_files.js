// <form data-upload>: files and folders, chosen or dropped, are gathered in form.chosen as {path, file} and listed;
// form.handles has what the browser can open them by again, null where it cannot open all of them.
(() => {
  const form = document.querySelector("form[data-upload]");
  const list = document.querySelector("#chosen");
  const zone = form.querySelector("[data-drop-zone]");
  const input = form.querySelector("input[name=files]");
  const MOST_SHOWN = 500;
  const byPath = new Map();
  form.chosen = [];
  form.handles = [];
  const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
  const more = (count) => Object.assign(document.createElement("li"), { textContent: list.dataset.more.replace("{count}", count) });
  const summary = document.querySelector("#chosen-summary");
  const show = () => {
    form.chosen = [...byPath.values()];
    input.required = form.chosen.length === 0;
    list.replaceChildren(...form.chosen.slice(0, MOST_SHOWN).map(({ path, file }, number) => {
      const row = document.createElement("li");
      row.dataset.number = number;
      const remove = Object.assign(document.createElement("button"), { type: "button", className: "btn-close" });
      remove.setAttribute("aria-label", `${list.dataset.remove} ${path}`);
      remove.addEventListener("click", () => { byPath.delete(path); form.handles = null; show(); });
      for (const text of [path, size(file.size)]) row.append(Object.assign(document.createElement("span"), { textContent: text }));
      row.lastChild.className = "text-secondary num";
      row.append(remove);
      return row;
    }));
    if (form.chosen.length > MOST_SHOWN) list.append(more(form.chosen.length - MOST_SHOWN));
    const total = form.chosen.reduce((sum, { file }) => sum + file.size, 0);
    summary.hidden = !form.chosen.length;
    summary.textContent = summary.dataset.text.replace("{count}", form.chosen.length).replace("{size}", size(total));
  };
  const add = (file, path) => byPath.set(path, { path, file });
  const take = (picker) => {
    for (const file of picker.files) add(file, file.webkitRelativePath || file.name);
    picker.value = "";
    form.handles = null;
    show();
  };
  const open = async (handle, folder) => {
    if (handle.kind === "file") return add(await handle.getFile(), folder + handle.name);
    for await (const child of handle.values()) await open(child, `${folder}${handle.name}/`);
  };
  form.takeHandles = async (handles) => {
    for (const one of handles) await open(one, "");
    form.handles?.push(...handles);
    show();
    return form.chosen.length > 0;
  };
  const walk = async (entry, folder) => {
    if (entry.isFile) return add(await new Promise((done, fail) => entry.file(done, fail)), folder + entry.name);
    const reader = entry.createReader();
    for (;;) { // a reader gives at most a hundred entries at a time
      const batch = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!batch.length) return;
      for (const child of batch) await walk(child, `${folder}${entry.name}/`);
    }
  };
  input.addEventListener("change", () => take(input));
  const folderInput = form.querySelector("[data-folder-input]");
  folderInput.addEventListener("change", () => take(folderInput));
  form.querySelector("[data-folder-choice]").hidden = !("webkitdirectory" in folderInput);
  for (const name of ["dragover", "dragleave", "drop"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.toggle("is-over", name === "dragover"); });
  }
  zone.addEventListener("drop", async (event) => {
    if (form.classList.contains("is-uploading")) return;
    const items = [...event.dataTransfer.items];
    const handles = items.map((item) => item.getAsFileSystemHandle?.() ?? null); // asked for before the event is over
    const dropped = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
    const kept = await Promise.all(handles).catch(() => [null]);
    form.handles = form.handles && kept.every(Boolean) ? [...form.handles, ...kept] : null;
    for (const one of dropped.filter(Boolean)) await (one instanceof File ? add(one, one.name) : walk(one, ""));
    show();
  });
})();
