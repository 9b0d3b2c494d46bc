// Keeps what is written in a box (data-draft) as a draft of the portal: a moment after the last key, and when the page
// is left. Each saving bears a number, so that an older window does not overwrite a newer one.
for (const box of document.querySelectorAll("[data-compose][data-draft]")) {
  const area = box.querySelector("textarea");
  const form = area.form;
  const note = box.querySelector(".compose-note");
  const counter = form.elements.sequence;
  if (!box.dataset.draft || !counter) continue;
  const address = `/forum/drafts/${box.dataset.draft}`;
  const headers = { Accept: "application/json" };
  // A title, tags and a poll are kept as well; of an empty page nothing is.
  const now = () => JSON.stringify([...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "sequence", "began"].includes(name)));
  let timer = 0;
  let isSent = false;
  let kept = now();
  const say = (text) => { if (!note.classList.contains("text-danger")) note.textContent = text; };
  const save = async (options = {}) => {
    clearTimeout(timer);
    const given = now();
    if (isSent || given === kept) return;
    const body = new FormData(form);
    body.set("sequence", String(Number(counter.value) + 1));
    const answer = await fetch(address, { method: "POST", body, headers, ...options }).catch(() => null);
    if (!answer || isSent) return;
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) {
      counter.value = told.sequence;
      kept = given;
    }
    say(answer.ok ? box.dataset.saved : answer.status === 409 ? box.dataset.clash : (told.error ?? ""));
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, 1500);
  });
  form.addEventListener("submit", () => { isSent = true; });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save({ keepalive: true }); });
  // On the page of a topic the draft is asked for when somebody begins to write; what a button put there comes after it.
  area.addEventListener("focus", async () => {
    if (area.value || counter.value !== "0") return;
    const answer = await fetch(address, { headers }).catch(() => null);
    const draft = answer?.ok ? await answer.json() : { sequence: 0 };
    counter.value = draft.sequence;
    if (draft.rules?.length) box.querySelector(".form-hint").prepend(`${draft.rules.join(" ")} `);
    if (!draft.text) return;
    area.value = area.value ? `${draft.text.trimEnd()}\n\n${area.value}` : draft.text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    say(box.dataset.kept);
  }, { once: true });
}
