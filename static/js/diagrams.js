// <pre class="mermaid"> becomes the diagram that it describes, in a frame of its own: the frame has another origin, so
// that whatever the description makes the library do happens without the reader's rights. Without it the text stays.
(() => {
  const address = document.currentScript.dataset.frame;
  const MAX_DIAGRAMS = 30;
  const frames = new Map();
  const theme = () => document.documentElement.dataset.bsTheme ?? "light";
  const draw = (frame, source) => frame.contentWindow.postMessage({ source, theme: theme() }, "*");
  [...document.querySelectorAll("pre.mermaid")].slice(0, MAX_DIAGRAMS).forEach((block) => {
    const frame = document.createElement("iframe");
    frame.className = "diagram";
    frame.setAttribute("sandbox", "allow-scripts");
    frame.loading = "lazy";
    frame.title = block.textContent.trim().slice(0, 80);
    frame.src = address;
    frame.addEventListener("load", () => draw(frame, block.textContent));
    frames.set(frame, block);
    block.after(frame);
  });
  window.addEventListener("message", (event) => {
    const frame = [...frames.keys()].find((one) => one.contentWindow === event.source);
    const { height } = event.data ?? {};
    if (!frame || !Number.isFinite(height)) return;
    frame.style.height = `${Math.min(Math.max(height, 0), 2000)}px`;
    frame.classList.toggle("diagram-drawn", height > 0);
    frames.get(frame).hidden = height > 0;
  });
  new MutationObserver(() => frames.forEach((block, frame) => draw(frame, block.textContent)))
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
