// <form data-upload> is sent in parts by a worker: this shows how far it is, pauses, goes on, cancels and publishes.
import { makeApi } from "./upload_api.js";
import { forgetHandles, keepHandles } from "./upload_handles.js";
import { findUnfinished } from "./upload_match.js";
import { makeMeter } from "./upload_meter.js";

const form = document.querySelector("form[data-upload]");
const panel = document.querySelector("#upload-progress");
const part = (name) => panel.querySelector(`[data-${name}]`);
const errors = document.querySelector("#upload-errors");
const field = (name) => form.elements[name]?.value ?? "";
const texts = panel.dataset;
let worker = null;
let stopping = new AbortController();
let upload = null;

const api = () => makeApi({
  token: field("csrfmiddlewaretoken"), language: document.documentElement.lang, signal: stopping.signal,
  onWait: (is) => { if (is) show("waiting"); },
});

const show = (state) => {
  panel.dataset.state = state;
  panel.hidden = state === "idle";
  part("status").textContent = texts[`${state}Text`] ?? "";
  part("pause").hidden = !["sending", "waiting"].includes(state);
  part("resume").hidden = state !== "paused";
  part("cancel").hidden = ["done", "publishing"].includes(state);
  const isBusy = !["idle", "failed"].includes(state);
  form.querySelector("[type=submit]").disabled = isBusy;
  form.classList.toggle("is-uploading", isBusy);
  for (const input of form.querySelectorAll("[data-drop-zone] input, [name=folder]")) input.disabled = isBusy;
  meter.run(state === "sending");
};
const meter = makeMeter(panel);

const complain = (message) => {
  const alert = Object.assign(document.createElement("div"), { className: "alert alert-danger", textContent: message });
  alert.setAttribute("role", "alert");
  errors.replaceChildren(alert);
  errors.scrollIntoView({ block: "center" });
};
const fail = (error) => {
  worker?.terminate();
  show("failed");
  complain(error.name === "NotReadableError" ? texts.unreadableText : error.message);
};

const publish = async () => {
  show("publishing");
  const body = { title: field("title"), description: field("description"), pull_request: field("target") === "pull_request" };
  const done = await api()("POST", `${form.dataset.uploads}/${upload.key}/commit`, body);
  show("done");
  await forgetHandles(upload.key);
  location.assign(done.page);
};

const listen = ({ data }) => {
  if (data.kind === "progress") meter.add(data.number, data.bytes, data.isKnown);
  if (data.kind === "again") meter.reset(data.number);
  if (data.kind === "checking") meter.mark(data.number, "checking");
  if (data.kind === "checked") meter.mark(data.number, "done");
  if (data.kind === "waiting" && panel.dataset.state !== "paused") show(data.is ? "waiting" : "sending");
  if (data.kind === "failed") fail(data);
  if (data.kind === "sent") { worker.terminate(); publish().catch(fail); }
};

const start = async () => {
  stopping = new AbortController();
  errors.replaceChildren();
  show("preparing");
  const rows = form.chosen.map(({ path, file }) => ({ path, size: file.size, modified: Math.max(0, file.lastModified) }));
  const ask = api();
  const before = upload; // one that was refused, and whose files have been changed since
  upload = await findUnfinished(ask, form.dataset, rows, field("folder")) ?? await ask("POST", form.dataset.begin, {
    revision: form.dataset.revision, folder: field("folder"), title: field("title"),
    description: field("description"), files: rows,
  });
  if (before && before.key !== upload.key) await ask("DELETE", `${form.dataset.uploads}/${before.key}`);
  await keepHandles(upload.key, form.handles);
  meter.clear();
  meter.begin(upload);
  worker = new Worker(form.dataset.worker, { type: "module" });
  worker.addEventListener("message", listen);
  worker.addEventListener("error", (event) => fail(new Error(event.message || texts.brokenText)));
  worker.postMessage({
    kind: "start", upload, files: form.chosen.map(({ file }) => file), address: form.dataset.uploads,
    token: field("csrfmiddlewaretoken"), language: document.documentElement.lang,
  });
  show("sending");
};

form.addEventListener("submit", (event) => {
  if (!form.chosen?.length) return;
  event.preventDefault();
  start().catch((error) => { if (!stopping.signal.aborted) fail(error); });
});
part("pause").addEventListener("click", () => { worker?.postMessage({ kind: "pause" }); show("paused"); part("resume").focus(); });
part("resume").addEventListener("click", () => { worker?.postMessage({ kind: "resume" }); show("sending"); part("pause").focus(); });
part("cancel").addEventListener("click", async () => {
  stopping.abort();
  worker?.terminate();
  stopping = new AbortController();
  if (upload) await Promise.all([api()("DELETE", `${form.dataset.uploads}/${upload.key}`).catch(() => null), forgetHandles(upload.key)]);
  upload = null;
  meter.clear();
  show("idle");
});
show("idle");
