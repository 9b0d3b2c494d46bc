// <textarea data-editor>: Tab and Shift+Tab indent, Enter keeps the indentation, Ctrl+S saves. Esc lets the next Tab leave.
(() => {
  const UNIT = "  ";
  let leaving = false;
  document.querySelector("#editor-hint")?.removeAttribute("hidden");
  const replace = (area, start, end, text) => {
    area.setSelectionRange(start, end);
    // execCommand keeps the browser's own undo; where it is gone, the text is still replaced.
    if (!document.execCommand("insertText", false, text)) area.setRangeText(text, start, end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const indent = (area, back) => {
    const { value, selectionStart, selectionEnd } = area;
    if (selectionStart === selectionEnd && !back) return replace(area, selectionStart, selectionEnd, UNIT);
    const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const lines = value.slice(start, selectionEnd).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^(\t| {1,2})/, "") : UNIT + line)).join("\n");
    replace(area, start, selectionEnd, moved);
    area.setSelectionRange(start, start + moved.length);
  };
  const breakLine = (area) => {
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    const margin = area.value.slice(start, area.selectionStart).match(/^[ \t]*/)[0];
    replace(area, area.selectionStart, area.selectionEnd, "\n" + margin);
  };
  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (!area.matches?.("textarea[data-editor]") || event.isComposing) return;
    if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      indent(area, event.shiftKey);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      breakLine(area);
    } else if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      area.form.requestSubmit();
    }
    leaving = event.key === "Escape" || (leaving && event.key === "Shift");
  });
})();
