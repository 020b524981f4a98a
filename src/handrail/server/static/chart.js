// The overview's chart: drawn from the table beside it, which is also its text.
"use strict";

(() => {
  const NAMES = ["ran", "asked", "denied", "recorded"];
  const COLOURS = { ran: "--green", asked: "--amber", denied: "--red", recorded: "--soft" };
  const place = document.getElementById("chart");
  let chart = null;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function read() {
    const rows = [...document.querySelectorAll("#each-hour tbody tr")].reverse();
    const at = rows.map((row) => Number(row.dataset.at) / 1000);
    const counts = NAMES.map((_, i) => rows.map((row) => Number(row.cells[i + 1].textContent)));
    // bars stand on each other: the sum of all is drawn first, and each smaller sum over it
    const sums = counts.map((_, i) => rows.map((_row, at_) => counts.slice(0, i + 1).reduce((sum, each) => sum + each[at_], 0)));
    return [at, ...sums.reverse()];
  }

  // Each outcome has a texture of its own as well as a colour.
  function texture(name) {
    const ink = colour(COLOURS[name]);
    if (name === "ran") return ink;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const draw = tile.getContext("2d");
    draw.fillStyle = colour("--card");
    draw.fillRect(0, 0, 8, 8);
    draw.strokeStyle = draw.fillStyle = ink;
    draw.lineWidth = 2.5;
    if (name === "asked") for (const x of [-8, 0, 8]) { draw.beginPath(); draw.moveTo(x, 8); draw.lineTo(x + 8, 0); draw.stroke(); }
    if (name === "denied") draw.fillRect(0, 0, 8, 5);
    if (name === "recorded") draw.fillRect(2, 2, 3, 3);
    return draw.createPattern(tile, "repeat");
  }

  function options() {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const bars = uPlot.paths.bars({ size: [0.72, 40], gap: 2 });
    return {
      width: place.clientWidth, height: place.clientHeight, legend: { show: false }, cursor: { show: false },
      scales: { x: { range: (_, low, high) => [low - 1800, high + 1800] }, y: { range: (_, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
      axes: [{ ...axis, grid: { show: false }, space: 64, values: (_, all) => all.map((each) => new Date(each * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })) },
        { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6] }],
      series: [{}, ...[...NAMES].reverse().map((name) => ({ label: name, paths: bars, points: { show: false }, fill: () => texture(name), width: 0 }))],
    };
  }

  function draw() {
    if (place === null || place.clientWidth === 0) return;
    if (chart !== null) chart.destroy();
    chart = new uPlot(options(), read(), place);
  }

  draw();
  document.addEventListener("htmx:after:swap", () => { if (chart !== null) chart.setData(read()); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = place === null ? 0 : place.clientWidth;
  addEventListener("resize", () => { if (place.clientWidth !== width) { width = place.clientWidth; draw(); } });
})();
