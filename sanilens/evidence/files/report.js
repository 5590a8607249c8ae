"use strict";
for (const box of document.querySelectorAll("[data-chart]")) {
  const chart = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  Plotly.newPlot(box, chart.data, chart.layout, { displayModeBar: false, staticPlot: false, responsive: false });
}
