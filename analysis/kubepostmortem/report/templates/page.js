"use strict";

// Drawings use CSS variables for colours, so light, dark and print need no drawing anew.
const COLUMN = 190; // pixels of a legend entry
const LABELS = 0.38; // of the width, at most, for the labels of the y axis

function fitted(specification, width) {
  const config = { ...specification.config };
  const columns = Math.max(1, Math.floor(width / COLUMN));
  config.legend = { ...config.legend, columns };
  config.axisY = { ...config.axisY, labelLimit: Math.min(210, Math.round(width * LABELS)) };
  const panels = specification.vconcat;
  if (panels) {
    return { ...specification, config, vconcat: panels.map((panel) => ({ ...panel, width })) };
  }
  return { ...specification, config, width, autosize: { type: "fit-x", contains: "padding" } };
}

async function embed(plot, specification) {
  // ast: expressions are interpreted, so the page's policy can forbid eval.
  return vegaEmbed(plot, specification, { ast: true, renderer: "svg", actions: false });
}

async function draw(figure) {
  const plot = figure.querySelector(".plot");
  const specification = JSON.parse(figure.querySelector("script").textContent);
  const width = plot.clientWidth;
  let drawn = await embed(plot, fitted(specification, width));
  if (specification.vconcat) {
    // Panels cannot be fitted by Vega: take what their labels need from the width.
    const excess = plot.querySelector("svg").width.baseVal.value - width;
    drawn.finalize();
    drawn = await embed(plot, fitted(specification, width - excess));
  }
}

async function drawOrSay(figure, width) {
  figure.dataset.width = width;
  try {
    await draw(figure);
  } catch (problem) {
    // One chart that fails must not take the others with it.
    figure.querySelector(".plot").textContent = "This chart could not be drawn.";
    console.error(problem);
  }
}

async function drawAll() {
  for (const figure of document.querySelectorAll("figure.chart")) {
    const width = figure.querySelector(".plot").clientWidth;
    if (width > 0 && Number(figure.dataset.width) !== width) await drawOrSay(figure, width);
  }
}

function openForPrint() {
  for (const details of document.querySelectorAll("details:not([open]):not(.screen)")) {
    details.open = true;
    details.dataset.closed = "";
  }
}

function closeAfterPrint() {
  for (const details of document.querySelectorAll("details[data-closed]")) {
    details.open = false;
    delete details.dataset.closed;
  }
}

function follow() {
  const links = new Map(
    [...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "0px 0px -75% 0px" },
  );
  for (const anchor of links.keys()) {
    const heading = document.getElementById(anchor);
    if (heading) seen.observe(heading);
  }
}

let resized;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(drawAll, 150);
});
window.addEventListener("beforeprint", openForPrint);
window.addEventListener("afterprint", closeAfterPrint);
follow();
drawAll().then(() => {
  document.documentElement.dataset.drawn = "";
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
});
