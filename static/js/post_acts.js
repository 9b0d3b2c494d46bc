// Buttons under posts act without a new page: what the portal answers takes the place of the post, or of its bar.
// “Reply” and “Quote” write into the box of the page, “Quote” of the words that are chosen in the post, else of all of
// them; and “More” opens in a dialog.
(() => {
  const box = () => document.querySelector("#reply [data-compose] textarea");
  const ask = (address, options = {}) => fetch(address, { headers: { "HX-Request": "true" }, ...options });
  const act = async (button) => {
    const place = button.closest(".acts") ?? button.closest(".said");
    const answer = await ask(button.formAction, { method: "POST", body: new FormData(button.form) });
    if (!answer.ok || answer.redirected) return button.form.requestSubmit(button);
    const path = new URL(button.formAction).pathname;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const made = page.body.firstElementChild;
    made.classList.toggle("is-picked", place.classList.contains("is-picked"));
    place.replaceWith(made);
    const again = [...made.querySelectorAll("button.act")].find((one) => one.formAction.endsWith(path));
    (again ?? made).focus({ preventScroll: true });
  };
  const reply = (link) => {
    const area = box();
    const form = area.form;
    const line = form.querySelector(".compose-to");
    if (!form.elements.to) return;
    form.elements.to.value = link.dataset.to ?? link.dataset.quote;
    line.hidden = false;
    line.querySelector("span").textContent = `#${link.closest("[data-number], [id^=post-]").id.replace("post-", "")}`;
  };
  const chosen = (link) => {
    const words = getSelection();
    const inside = words.rangeCount && link.closest("[id^=post-]").contains(words.getRangeAt(0).commonAncestorContainer);
    return inside ? words.toString().trim().slice(0, 2000) : "";
  };
  // At the cursor, on lines of its own; at the end of a text in which nobody has put the cursor yet. It is remembered
  // here, since a browser forgets it when words of a post are chosen.
  const cursors = new WeakMap();
  for (const kind of ["input", "keyup", "pointerup", "select"]) {
    document.addEventListener(kind, ({ target }) => { if (target === box()) cursors.set(target, [target.selectionStart, target.selectionEnd]); });
  }
  const put = (area, said) => {
    const [start, end] = cursors.get(area) ?? [area.value.length, area.value.length];
    const before = area.value.slice(0, start);
    const gap = !before.trim() || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    area.setRangeText(`${gap}${said}`, start, end, "end");
  };
  const quote = async (link, words) => {
    const answer = await ask(`/forum/posts/${link.dataset.quote}/quotation`);
    if (!answer.ok) return;
    const area = box();
    const { head, text } = await answer.json();
    const said = words ? `${head}${words.replace(/^/gm, "> ")}\n\n` : text;
    put(area, said);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const menu = async (link) => {
    const answer = await ask(link.href);
    if (!answer.ok) return location.assign(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const dialog = document.createElement("dialog");
    dialog.className = "post-dialog card";
    dialog.setAttribute("aria-label", `${link.closest("[id^=post-]")?.getAttribute("aria-label") ?? ""} ${link.title}`.trim());
    dialog.append(...page.body.childNodes);
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const button = event.target.closest("button.act[form=acts]");
    const link = event.target.closest("a.act[data-to], a.act[data-quote], a.act[data-menu]");
    const undo = event.target.closest("[data-unreply]");
    if (undo) {
      undo.form.elements.to.value = "";
      undo.closest(".compose-to").hidden = true;
    } else if (button) {
      event.preventDefault();
      await act(button);
    } else if (link?.dataset.menu !== undefined) {
      event.preventDefault();
      await menu(link);
    } else if (link && box()) {
      event.preventDefault();
      const words = link.dataset.quote ? chosen(link) : "";
      box().focus();
      reply(link);
      if (link.dataset.quote) await quote(link, words);
    }
  });
})();
