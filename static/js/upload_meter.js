// How much of an upload is sent: of each file in its row, of all in the bar, with speed and time left.
const WINDOW_MS = 8000;
const unit = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
const clock = (seconds) => [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor)
  .map((one, index) => index ? String(one).padStart(2, "0") : one).filter((one, index) => index || one).join(":");

export const makeMeter = (panel) => {
  const bar = panel.querySelector(".progress-bar");
  const amount = panel.querySelector("[data-amount]");
  const speed = panel.querySelector("[data-speed]");
  let total = 0, done = 0, files = new Map(), marks = [], timer = null;
  const row = (number) => document.querySelector(`#chosen li[data-number="${files.get(number)?.chosen ?? number}"]`);
  const mark = (number, state) => { const found = row(number); if (found) found.dataset.state = state; };
  const draw = () => {
    const percent = total ? 100 * done / total : files.size ? 100 : 0;
    bar.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", Math.floor(percent));
    amount.textContent = `${unit(done)} / ${unit(total)} · ${Math.floor(percent)} %`;
    const now = performance.now();
    marks = marks.filter(({ at }) => now - at < WINDOW_MS);
    const sent = marks.reduce((sum, { bytes }) => sum + bytes, 0);
    const rate = sent && timer ? sent / Math.max(now - marks[0].at, 500) * 1000 : 0;
    speed.textContent = rate ? `${unit(rate)}/s · ${panel.dataset.leftText.replace("{time}", clock((total - done) / rate))}` : "";
  };
  const drawRow = (number, file) => {
    const found = row(number);
    if (!found) return;
    found.style.setProperty("--sent", `${file.size ? 100 * file.sent / file.size : 100}%`);
    found.dataset.state = file.sent >= file.size && file.size <= file.part ? "done" : "sending";
  };
  return {
    mark,
    begin(upload) {
      total = upload.size; done = 0; marks = [];
      files = new Map(upload.files.map(({ number, size, chosen }) => [number, { size, sent: 0, chosen, part: upload.part_bytes }]));
      draw();
    },
    add(number, bytes, isKnown) {
      const file = files.get(number);
      file.sent += bytes; done += bytes;
      if (!isKnown) marks.push({ at: performance.now(), bytes });
      drawRow(number, file);
      if (isKnown && file.sent >= file.size) mark(number, "done");
    },
    reset(number) { const file = files.get(number); done -= file.sent; file.sent = 0; drawRow(number, file); },
    clear() { for (const one of document.querySelectorAll("#chosen li")) { delete one.dataset.state; one.style.removeProperty("--sent"); } },
    run(is) { clearInterval(timer); timer = is ? setInterval(draw, 250) : null; if (!is) marks = []; draw(); },
  };
};
