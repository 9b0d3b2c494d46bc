// Draws the curves of a run and goes on drawing while it learns; asks for what is new every two seconds.
(() => {
  const area = document.querySelector(".run-charts[data-points]");
  if (!area) return;
  const curve = JSON.parse(document.getElementById("run-curve").textContent);
  const charts = new Map();
  const palette = ["primary", "orange", "green", "purple", "red", "cyan", "yellow", "pink"];
  const colour = (canvas, name) => { // a canvas takes no variables, so a style resolves them
    canvas.style.color = `var(--tblr-${name})`;
    return getComputedStyle(canvas).color;
  };
  const linesOf = (canvas) => {
    const names = canvas.dataset.lines.split(" ");
    const labels = canvas.dataset.names.split("|");
    if (names[0] === "dev") { // names of metrics in the reader's words, in the order of the first page
      const known = Object.fromEntries(canvas.dataset.keys.split("|").map((key, index) => [key, labels[index]]));
      return Object.entries(curve.dev).map(([name, points]) => [known[name] || name, points]);
    }
    return names.map((name, index) => [labels[index], curve[name] ?? []]);
  };
  const draw = (canvas) => {
    const axis = () => ({ ticks: { color: colour(canvas, "secondary") }, grid: { color: colour(canvas, "border-color") } });
    const datasets = linesOf(canvas).map(([label, points], index) => ({
      label, data: points.map(([x, y]) => ({ x, y })), borderColor: colour(canvas, palette[index % palette.length]),
      backgroundColor: colour(canvas, palette[index % palette.length]), borderWidth: 2, pointRadius: points.length > 40 ? 0 : 2, tension: 0,
    }));
    charts.get(canvas)?.destroy();
    charts.set(canvas, new Chart(canvas, {
      type: "line", data: { datasets },
      options: {
        maintainAspectRatio: false, animation: false, parsing: false, interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: { x: { ...axis(), type: "linear" }, y: { ...axis(), ticks: { ...axis().ticks, callback: (value) => Number(value.toPrecision(3)).toString() } } },
        plugins: { legend: { display: datasets.length > 1, labels: { color: colour(canvas, "body-color"), boxWidth: 12 } } },
      },
    }));
  };
  const canvases = [...area.querySelectorAll("canvas")];
  const drawAll = () => canvases.forEach(draw);
  drawAll();
  document.addEventListener("themechange", drawAll);

  const format = (value) => (Math.abs(value) >= 1000 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(4)).toString());
  const show = (point) => {
    for (const place of document.querySelectorAll("[data-number]")) {
      const value = point[place.dataset.number];
      if (value === undefined) continue;
      if (place.dataset.number === "step") place.textContent = point.steps ? `${point.step} / ${point.steps}` : point.step;
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
