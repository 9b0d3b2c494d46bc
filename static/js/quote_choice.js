// Words that are chosen in a post have a button beside them, which quotes them as the button under the post would.
(() => {
  const posts = document.getElementById("posts") ?? document.getElementById("content");
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-sm quote-choice";
  made.hidden = true;
  document.body.append(made);
  let link = null;
  const look = () => {
    const words = getSelection();
    const range = words.rangeCount && !words.isCollapsed ? words.getRangeAt(0) : null;
    const place = range?.commonAncestorContainer;
    const post = (place?.nodeType === Node.TEXT_NODE ? place.parentElement : place)?.closest?.(".rendered")?.closest("[id^=post-]");
    link = post && posts.contains(post) ? post.querySelector("a[data-quote]") : null;
    made.hidden = !link;
    if (!link) return;
    const at = range.getBoundingClientRect();
    made.textContent = link.title;
    made.style.top = `${at.bottom + scrollY + 6}px`;
    made.style.left = `${Math.min(at.left + scrollX, scrollX + document.documentElement.clientWidth - made.offsetWidth - 8)}px`;
  };
  let timer = 0;
  document.addEventListener("selectionchange", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 200);
  });
  made.addEventListener("pointerdown", (event) => event.preventDefault()); // which would let go of the words
  made.addEventListener("click", () => {
    link?.click();
    made.hidden = true;
  });
})();
