// Draws the board's models, score against parameters; a click opens the model. Follows the colour theme.
(() => {
  const canvas = document.querySelector("#board-chart");
  const points = JSON.parse(document.querySelector("#board-points").textContent);
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  let chart;
  const intervals = { // a line from the lower to the upper end of each interval
    id: "intervals",
    beforeDatasetsDraw({ ctx, scales: { x, y } }, _args, { color }) {
      ctx.save();
      ctx.strokeStyle = color;
      ctx.lineWidth = 2;
      for (const point of points) {
        ctx.beginPath();
        ctx.moveTo(x.getPixelForValue(point.x), y.getPixelForValue(point.low));
        ctx.lineTo(x.getPixelForValue(point.x), y.getPixelForValue(point.high));
        ctx.stroke();
      }
      ctx.restore();
    },
  };
  const draw = () => {
    const computed = (value) => { // a canvas takes no variables, so a style resolves them
      canvas.style.color = value;
      return getComputedStyle(canvas).color;
    };
    const colour = (name) => computed(`var(--tblr-${name})`);
    const faint = computed("rgba(var(--tblr-primary-rgb), .4)");
    const axis = (text) => ({ title: { display: true, text, color: colour("secondary") }, ticks: { color: colour("secondary") }, grid: { color: colour("border-color") } });
    const x = { ...axis(canvas.dataset.x), type: "logarithmic" };
    x.ticks.callback = (value) => (/^[125]0*$/.test(String(Math.round(value))) ? compact.format(value) : "");
    Object.assign(x, { min: Math.min(...points.map((p) => p.x)) / 1.6, max: Math.max(...points.map((p) => p.x)) * 1.6 });
    const tens = (value, round) => round(value / 10) * 10; // whole intervals fit between the ends of the axis
    const y = { ...axis(canvas.dataset.y), min: tens(Math.min(0, ...points.map((p) => p.low)), Math.floor), max: tens(Math.max(...points.map((p) => p.high)), Math.ceil) };
    chart?.destroy();
    chart = new Chart(canvas, {
      type: "scatter",
      data: { datasets: [{ data: points, backgroundColor: colour("primary"), pointRadius: 6, pointHoverRadius: 8 }] },
      options: {
        maintainAspectRatio: false, animation: false, scales: { x, y },
        onClick: (_event, [hit]) => { if (hit) location.assign(points[hit.index].url); },
        onHover: (event, hits) => { event.native.target.style.cursor = hits.length ? "pointer" : ""; },
        plugins: { legend: { display: false }, intervals: { color: faint },
          tooltip: { callbacks: { label: ({ raw }) => `${raw.name}: ${raw.y} (${raw.low}…${raw.high}), ${compact.format(raw.x)}` } } },
      },
      plugins: [intervals],
    });
  };
  draw();
  document.addEventListener("themechange", draw);
})();
