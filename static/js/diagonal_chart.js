// Draws groups of examples against the diagonal on which they should lie; larger groups as larger points.
(() => {
  const charts = new Map();
  const draw = (canvas) => {
    const { diagonal, xKey, yKey, start, end } = canvas.dataset;
    const parts = JSON.parse(document.getElementById(diagonal).textContent);
    const most = Math.max(...parts.map((part) => part.n));
    const points = parts.map((part) => ({ x: part[xKey], y: part[yKey], n: part.n, r: 3 + 9 * Math.sqrt(part.n / most) }));
    const values = points.flatMap((point) => [point.x, point.y]);
    const min = start === undefined ? Math.floor(Math.min(...values)) : Number(start);
    const max = end === undefined ? Math.ceil(Math.max(...values)) : Number(end);
    const colour = (name) => { // a canvas takes no variables, so a style resolves them
      canvas.style.color = `var(--tblr-${name})`;
      return getComputedStyle(canvas).color;
    };
    const axis = (text) => ({ min, max, title: { display: true, text, color: colour("secondary") }, ticks: { color: colour("secondary") }, grid: { color: colour("border-color") } });
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, {
      data: { datasets: [
        { type: "bubble", data: points, backgroundColor: colour("primary") },
        { type: "line", data: [{ x: min, y: min }, { x: max, y: max }], borderColor: colour("secondary"), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 },
      ] },
      options: {
        maintainAspectRatio: false, animation: false, clip: false,
        scales: { x: { ...axis(canvas.dataset.x), type: "linear" }, y: axis(canvas.dataset.y) },
        plugins: { legend: { display: false }, tooltip: { filter: ({ datasetIndex }) => datasetIndex === 0,
          callbacks: { label: ({ raw }) => `${raw.x.toFixed(2)} → ${raw.y.toFixed(2)} (n = ${raw.n})` } } },
      },
    }));
  };
  const drawAll = () => document.querySelectorAll("canvas[data-diagonal]").forEach(draw);
  drawAll();
  document.addEventListener("themechange", drawAll);
})();
