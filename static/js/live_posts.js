// New posts come to an open page of a topic: asked for while the page is looked at, at once when it is looked at again.
(() => {
  const EVERY = 10000;
  const posts = document.getElementById("posts");
  const note = document.getElementById("live-note");
  const last = () => Math.max(0, ...[...posts.querySelectorAll("[data-number]")].map((one) => Number(one.dataset.number)));
  let pause = EVERY;
  let timer = 0;
  let asks = false;
  const look = async () => {
    clearTimeout(timer);
    // Two answers to the same question would bring the same posts twice.
    if (asks || document.visibilityState !== "visible") return;
    asks = true;
    try {
      const answer = await fetch(`${posts.dataset.news}?after=${last()}`, { headers: { "HX-Request": "true" } });
      if (answer.status === 200) {
        posts.insertAdjacentHTML("beforeend", await answer.text());
        note.textContent = note.dataset.text;
        posts.dispatchEvent(new CustomEvent("posts:came", { bubbles: true }));
        pause = EVERY;
      } else if (answer.status === 204) {
        pause = Math.min(pause * 1.2, EVERY * 6);
        note.textContent = "";
      } else if (answer.status === 404) {
        return;
      }
    } catch {
      pause = Math.min(pause * 2, EVERY * 12);
    } finally {
      asks = false;
    }
    timer = setTimeout(look, pause);
  };
  document.addEventListener("visibilitychange", () => {
    pause = EVERY;
    look();
  });
  window.addEventListener("focus", look);
  timer = setTimeout(look, pause);
})();
