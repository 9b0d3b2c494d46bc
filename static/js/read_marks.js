// Notes how far a topic was read: posts that were in sight, sent at most every ten seconds and when the page is left.
(() => {
  const EVERY = 10000;
  const posts = document.getElementById("posts");
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  let sent = Number(posts.dataset.upto);
  let seen = sent;
  let since = Date.now();
  const send = () => {
    if (seen <= sent) return;
    const seconds = Math.min(Math.round((Date.now() - since) / 1000), 3600);
    fetch(posts.dataset.read, {
      method: "POST",
      keepalive: true,
      headers: { "X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded" },
      body: `upto=${seen}&seconds=${seconds}`,
    }).catch(() => {});
    sent = seen;
    since = Date.now();
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && document.visibilityState === "visible") {
        seen = Math.max(seen, Number(entry.target.dataset.number));
      }
    }
  });
  const watch = () => posts.querySelectorAll("[data-number]").forEach((one) => watcher.observe(one));
  watch();
  posts.addEventListener("posts:came", watch);
  setInterval(send, EVERY);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") send();
    else since = Date.now();
  });
})();
