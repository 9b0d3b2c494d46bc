// Draws the curves of several runs over each other, one line a run.
(() => {
  const runs = JSON.parse(document.getElementById("run-curves").textContent);
  const charts = new Map();
  const palette = ["primary", "orange", "green", "purple", "red", "cyan", "yellow", "pink"];
  const draw = (canvas) => {
    const colour = (name) => { // a canvas takes no variables, so a style resolves them
      canvas.style.color = `var(--tblr-${name})`;
      return getComputedStyle(canvas).color;
    };
    const axis = () => ({ ticks: { color: colour("secondary") }, grid: { color: colour("border-color") } });
    const datasets = runs.map((run, index) => ({
      label: run.name, data: run[canvas.dataset.overlay].map(([x, y]) => ({ x, y })), borderWidth: 2,
      pointRadius: run[canvas.dataset.overlay].length > 1 ? 0 : 3, // a single point is no line
      borderColor: colour(palette[index % palette.length]), backgroundColor: colour(palette[index % palette.length]),
    }));
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, {
      type: "line", data: { datasets },
      options: {
        maintainAspectRatio: false, animation: false, parsing: false, interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: { x: { ...axis(), type: "linear" }, y: { ...axis(), ticks: { ...axis().ticks, callback: (value) => Number(value.toPrecision(3)).toString() } } },
        plugins: { legend: { labels: { color: colour("body-color"), boxWidth: 12 } } },
      },
    }));
  };
  const drawAll = () => document.querySelectorAll("canvas[data-overlay]").forEach(draw);
  drawAll();
  document.addEventListener("themechange", drawAll);
})();
