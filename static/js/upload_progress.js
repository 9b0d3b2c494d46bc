// <form data-upload> is sent with its gathered files, progress and a way to stop; on refusal nothing chosen is lost.
(() => {
  const form = document.querySelector("form[data-upload]");
  const panel = document.querySelector("#upload-progress");
  const bar = panel.querySelector(".progress-bar");
  const text = panel.querySelector("[data-progress-text]");
  const errors = document.querySelector("#upload-errors");
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const busy = (is) => { panel.hidden = !is; form.querySelector("[type=submit]").disabled = is; };
  const complain = (message) => {
    const alert = Object.assign(document.createElement("div"), { className: "alert alert-danger", textContent: message });
    alert.setAttribute("role", "alert");
    errors.replaceChildren(alert);
    errors.scrollIntoView({ block: "center" });
  };
  const finished = (request) => {
    const went = new URL(request.responseURL);
    if (request.status < 400 && went.pathname !== location.pathname) return location.assign(request.responseURL);
    busy(false);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const found = page.querySelectorAll("#upload-errors .alert, form[data-upload] .invalid-feedback, .empty-subtitle");
    complain([...found].map((one) => one.textContent.trim()).join(" ") || form.dataset.broken);
  };
  form.addEventListener("submit", (event) => {
    if (!form.chosen?.length) return;
    event.preventDefault();
    const total = form.chosen.reduce((sum, { file }) => sum + file.size, 0);
    if (total > Number(form.dataset.maxBytes)) return complain(form.dataset.tooLarge);
    const data = new FormData(form);
    data.delete("files");
    for (const { path, file } of form.chosen) { data.append("files", file); data.append("paths", path); }
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.style.width = `${100 * loaded / total}%`;
      bar.setAttribute("aria-valuenow", Math.round(100 * loaded / total));
      text.textContent = loaded < total ? `${megabytes(loaded)} / ${megabytes(total)} MB` : text.dataset.finishing;
    });
    request.addEventListener("load", () => finished(request));
    request.addEventListener("error", () => { busy(false); complain(form.dataset.broken); });
    request.addEventListener("abort", () => { busy(false); complain(form.dataset.stopped); });
    panel.querySelector("[data-cancel-upload]").onclick = () => request.abort();
    errors.replaceChildren();
    busy(true);
    request.send(data);
  });
})();
