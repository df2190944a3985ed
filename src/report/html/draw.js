"use strict";
// Draws every chart into its place and counts them on the root element.
const root = document.documentElement;
const places = [];
root.dataset.drawn = 0;
for (const script of document.querySelectorAll("script[data-plot]")) {
  const place = document.getElementById(script.dataset.plot);
  const plot = JSON.parse(script.textContent);
  places.push(place);
  Plotly.newPlot(place, plot.data, plot.layout, plot.config).then(() => { root.dataset.drawn++; });
}
// Paper has its own width, and no scroll bars.
const PAPER = 680;
addEventListener("beforeprint", () => {
  for (const place of places) Plotly.relayout(place, { width: PAPER, autosize: false });
});
addEventListener("afterprint", () => {
  for (const place of places) Plotly.relayout(place, { width: null, autosize: true });
});
