// An element with an id and [data-keep-scroll] stays where its reader scrolled it when htmx replaces it;
// one that was at its end, as a log is at first, follows the end.
(() => {
  const follow = (element) => { element.scrollTop = element.scrollHeight; };
  let before = new Map();
  const remember = () => {
    before = new Map([...document.querySelectorAll("[data-keep-scroll]")].map((element) => [element.id, {
      top: element.scrollTop,
      atEnd: element.scrollTop + element.clientHeight >= element.scrollHeight - 4,
    }]));
  };
  const restore = () => document.querySelectorAll("[data-keep-scroll]").forEach((element) => {
    const was = before.get(element.id);
    if (was && !was.atEnd) element.scrollTop = was.top;
    else follow(element);
  });
  restore();
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSettle", restore);
})();
