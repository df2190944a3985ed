"use strict";
// Draws every chart into its place and counts them on the root element.
const root = document.documentElement;
const places = [];
root.dataset.drawn = 0;
const parsed = (script) => JSON.parse(script.textContent);
const draw = (place, plot) => Plotly.newPlot(place, plot.data, plot.layout, plot.config);

// Several ways to see one chart: a button for each.
function choice(place, first, scripts) {
  const plots = [first, ...scripts.map(parsed)];
  const bar = document.createElement("div");
  bar.className = "choice";
  bar.setAttribute("role", "group");
  [scripts[0].dataset.first, ...scripts.map((script) => script.dataset.name)].forEach((name, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-pressed", at === 0);
    button.addEventListener("click", () => {
      for (const other of bar.children) other.setAttribute("aria-pressed", other === button);
      draw(place, plots[at]);
    });
    bar.append(button);
  });
  place.before(bar);
}

for (const script of document.querySelectorAll("script[data-plot]")) {
  const place = document.getElementById(script.dataset.plot);
  const plot = parsed(script);
  const first = () => { places.push(place); draw(place, plot).then(() => { root.dataset.drawn++; }); };
  const others = [...document.querySelectorAll(`script[data-other="${place.id}"]`)];
  if (others.length) choice(place, plot, others);
  // What is folded has no width to be drawn in.
  const folded = place.closest("details:not([open])");
  if (folded) folded.addEventListener("toggle", first, { once: true });
  else first();
}

// The numbers of a chart, for a spreadsheet.
const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const row = (tr) => [...tr.cells].map((td) => cell(td.textContent.replaceAll("\u00a0", " "))).join(",");
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
for (const details of document.querySelectorAll("details.numbers")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy as CSV";
  button.addEventListener("click", async () => {
    await copy([...details.querySelectorAll("tr")].map(row).join("\n") + "\n");
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy as CSV"; }, 2000);
  });
  details.querySelector("summary").after(button);
}

// Paper has its own width, and no scroll bars; what is folded stays so.
const PAPER = 680;
addEventListener("beforeprint", () => {
  for (const place of places) Plotly.relayout(place, { width: PAPER, autosize: false });
});
addEventListener("afterprint", () => {
  for (const place of places) Plotly.relayout(place, { width: null, autosize: true });
});
