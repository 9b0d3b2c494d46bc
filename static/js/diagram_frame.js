// Inside of the frame: draws the diagram that the page sends, and answers how high it is; 0 when it cannot be drawn.
(() => {
  const MAX_SOURCE = 50000;
  const place = document.getElementById("diagram");
  let turn = 0;
  const answer = (height) => window.parent.postMessage({ height }, "*");
  window.addEventListener("message", async (event) => {
    if (event.source !== window.parent) return;
    const { source, theme } = event.data ?? {};
    if (typeof source !== "string" || source.length > MAX_SOURCE) return answer(0);
    turn += 1;
    document.documentElement.dataset.theme = theme;
    window.mermaid.initialize({
      startOnLoad: false, securityLevel: "strict", theme: theme === "dark" ? "dark" : "default", maxTextSize: MAX_SOURCE,
    });
    try {
      const { svg } = await window.mermaid.render(`drawn-${turn}`, source);
      place.innerHTML = svg;
      answer(Math.ceil(place.getBoundingClientRect().height) + 2);
    } catch {
      place.replaceChildren();
      answer(0);
    }
  });
})();
