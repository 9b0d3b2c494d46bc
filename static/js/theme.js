// Sets the colour theme before the first paint: this browser's choice, else the account's, else the system's.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = () => {
    document.documentElement.dataset.bsTheme = stored() || document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  };
  apply();
  const tell = () => document.dispatchEvent(new CustomEvent("themechange")); // what is drawn is drawn anew
  system.addEventListener("change", () => { apply(); tell(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* a browser that forbids storage keeps the system's theme */ }
    document.documentElement.dataset.bsTheme = next;
    tell();
  });
})();
