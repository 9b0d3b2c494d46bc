// Draws the curves of a run and goes on drawing while it learns; asks for what is new every two seconds.
(() => {
  const area = document.querySelector(".run-charts[data-points]");
  if (!area) return;
  const curve = JSON.parse(document.getElementById("run-curve").textContent);
  const charts = new Map();
  const palette = ["primary", "orange", "green", "purple", "red", "cyan", "yellow", "pink"];
  const tiny = (value) => Number(value.toPrecision(3)).toExponential();
  const format = (value) => {
    if (Math.abs(value) >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
    return Math.abs(value) < 1e-3 ? tiny(value) : Number(value.toPrecision(4)).toString();
  };
  const clock = (seconds) => {
    const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
    return [...(hours ? [hours] : []), hours ? String(minutes).padStart(2, "0") : minutes, String(rest).padStart(2, "0")].join(":");
  };
  const colour = (canvas, name) => { // a canvas takes no variables, so a style resolves them
    canvas.style.color = `var(--tblr-${name})`;
    return getComputedStyle(canvas).color;
  };
  const linesOf = (canvas) => {
    const names = canvas.dataset.lines.split(" ");
    const labels = canvas.dataset.names.split("|");
    if (names[0] === "dev") { // names of metrics in the reader's words, in the order of the first page
      const known = Object.fromEntries(canvas.dataset.keys.split("|").map((key, index) => [key, labels[index]]));
      return Object.entries(curve.dev).map(([name, points]) => ({ label: known[name] || name, points, key: name }));
    }
    const lines = names.map((name, index) => ({ label: labels[index], points: curve[name] ?? [], key: name }));
    if (!canvas.dataset.smoothed || lines[0].points.length < 40) return lines;
    return [{ label: canvas.dataset.smoothed, points: smooth(lines[0].points), key: "smoothed" }, ...lines.slice(1), { ...lines[0], faint: true }];
  };
  const hidden = new Map(); // what the reader has clicked away, or back, in the legend
  const isHidden = (canvas, key) => hidden.get(`${canvas.dataset.lines} ${key}`) ?? (canvas.dataset.first in curve.dev && key !== canvas.dataset.first);
  const smooth = (points) => { // an exponential mean, corrected for its beginning
    let mean = 0, weight = 0;
    return points.map(([step, value]) => {
      mean = 0.9 * mean + 0.1 * value;
      weight = 0.9 * weight + 0.1;
      return [step, mean / weight];
    });
  };
  const draw = (canvas) => {
    const axis = () => ({ ticks: { color: colour(canvas, "secondary") }, grid: { color: colour(canvas, "border-color") } });
    const datasets = linesOf(canvas).map(({ label, points, key, faint }, index) => {
      const tone = colour(canvas, faint ? "secondary" : palette[index % palette.length]);
      return {
        label, key, hidden: isHidden(canvas, key), data: points.map(([x, y]) => ({ x, y })), borderColor: tone, backgroundColor: tone,
        borderWidth: faint ? 0.5 : 2, pointRadius: points.length > 40 ? 0 : 2, tension: 0,
      };
    });
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, {
      type: "line", data: { datasets },
      options: {
        maintainAspectRatio: false, animation: false, parsing: false, interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: { x: { ...axis(), type: "linear", suggestedMin: 0 }, y: { ...axis(), ticks: { ...axis().ticks, callback: (value) => (value && Math.abs(value) < 1e-3 ? tiny(value) : Number(value.toPrecision(3)).toString()) } } },
        plugins: { legend: { display: datasets.length > 1, labels: { color: colour(canvas, "body-color"), boxWidth: 12 },
          onClick: (_event, { datasetIndex }, { chart }) => {
            const isShown = chart.isDatasetVisible(datasetIndex);
            hidden.set(`${canvas.dataset.lines} ${datasets[datasetIndex].key}`, isShown);
            chart.setDatasetVisibility(datasetIndex, !isShown);
            chart.update();
          } } },
      },
    }));
  };
  const canvases = [...area.querySelectorAll("canvas")];
  const drawAll = () => canvases.forEach(draw);
  drawAll();
  document.addEventListener("themechange", drawAll);

  const show = (point) => {
    for (const place of document.querySelectorAll("[data-number]")) {
      const value = point[place.dataset.number];
      if (value === undefined) continue;
      if (place.dataset.number === "step") place.textContent = point.steps ? `${point.step} / ${point.steps}` : point.step;
      else if ("time" in place.dataset) place.textContent = clock(Math.round(value));
      else if ("perCent" in place.dataset) place.textContent = `${(value * 100).toFixed(1)} %`;
      else place.textContent = format(value) + (place.dataset.unit ? ` ${place.dataset.unit}` : "");
    }
  };
  const take = (point) => {
    if (point.kind === "step") {
      for (const name of ["loss", "lr", "grad_norm"]) if (name in point) curve[name].push([point.step, point[name]]);
      show(point);
    } else if (point.kind === "dev") {
      if ("loss" in point) curve.dev_loss.push([point.step, point.loss]);
      for (const [name, value] of Object.entries(point.metrics)) (curve.dev[name] ??= []).push([point.step, value]);
    }
  };
  let last = Number(area.dataset.last);
  const ask = async () => {
    try {
      const answer = await fetch(`${area.dataset.points}${last >= 0 ? `?after=${last}` : ""}`);
      if (answer.ok) {
        const { points, is_over: isOver } = await answer.json();
        for (const point of points) {
          take(point);
          last = point.seq;
        }
        if (points.length) drawAll();
        if (isOver && !points.length) return;
      }
    } catch { /* the next look may reach the portal again */ }
    setTimeout(ask, 2000);
  };
  if (!("over" in area.dataset)) setTimeout(ask, 2000);
})();
