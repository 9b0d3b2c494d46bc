// The tools of a box in which people write (data-compose): marks around or before the words, by button or by keys;
// Ctrl+Enter sends.
for (const box of document.querySelectorAll("[data-compose]")) {
  const area = box.querySelector("textarea");
  const bar = box.querySelector(".compose-bar");
  bar.hidden = false;
  const put = (text, from, to) => {
    area.focus();
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.setSelectionRange(from, to);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // Code of several lines stands between fences, on lines of its own.
  const fence = (words, start) => {
    const head = start > 0 && area.value[start - 1] !== "\n" ? "\n```" : "```";
    put(`${head}\n${words.replace(/\n$/, "")}\n\`\`\`\n`, start + head.length, start + head.length);
  };
  const around = (mark) => {
    const { selectionStart: start, selectionEnd: end, value } = area;
    const words = value.slice(start, end);
    if (mark === "`" && words.includes("\n")) return fence(words, start);
    put(`${mark}${words}${mark}`, start + mark.length, end + mark.length);
  };
  const before = (mark) => {
    const end = area.selectionEnd;
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    area.setSelectionRange(start, end);
    const text = area.value.slice(start, end).replace(/^/gm, mark);
    put(text, start + text.length, start + text.length);
  };
  const link = () => {
    const { selectionStart: start, selectionEnd: end, value } = area;
    const words = value.slice(start, end);
    put(`[${words}](https://)`, start + words.length + 3, start + words.length + 11);
  };
  const act = (button) => {
    const { around: mark, before: head, link: isLink } = button.dataset;
    if (mark) around(mark);
    else if (head) before(head);
    else if (isLink !== undefined) link();
  };
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-around], button[data-before], button[data-link]");
    if (button) act(button);
  });
  area.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      area.form.requestSubmit(area.form.querySelector("button[type=submit].btn-primary"));
    }
    const button = bar.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!button) return;
    event.preventDefault();
    act(button);
  });
}
