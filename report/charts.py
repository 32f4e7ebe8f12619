"""Write the page that `dvc plots` fills with charts: `python -m report.charts <path>`. It loads nothing from elsewhere.

DVC's own page loads its chart library from a content network and stays empty without it; here the library is inside.
"""

import sys
from pathlib import Path

import vl_convert

# DVC replaces what stands in single braces; each chart calls vegaEmbed with a specification of Vega-Lite 5. A heading takes the
# place of a chart's title, and a screen reader says what the chart shows. On a phone a chart is as wide as the screen, its
# legends and its other revisions stand below; what is wider all the same scrolls in its own box.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  {refresh_tag}
  <title>Plots</title>
  <style>
    body { font-family: sans-serif }
    main { display: flex; flex-wrap: wrap; gap: 1em }
    main > div { box-sizing: border-box; max-width: 100%; overflow-x: auto }
    main > div[style] { width: 100%; white-space: normal !important; border: 0 !important; text-align: left !important }
    h2 { font-size: 1.1em }
    img { width: 600px }
  </style>
  <script>(() => {"use strict"; LIBRARY})()</script>
  <script>
    function vegaEmbed(place, spec) {
      const room = document.documentElement.clientWidth, narrow = room < 600;
      const unit = spec.spec ?? spec, axes = [unit.encoding?.y?.title, unit.encoding?.x?.title].filter(Boolean);
      const revisions = [...new Set((spec.data?.values ?? []).map(row => row.rev))];
      const heading = document.createElement("h2"), chart = document.createElement("div");
      heading.textContent = spec.title?.text ?? place.slice(1);
      document.querySelector(place).append(heading, chart);
      spec.description ??= `${heading.textContent}: ${axes.join(" by ")}`;
      spec.description += `. Revisions: ${revisions.join(", ")}.`;
      delete spec.title;
      if (!spec.data) {
        chart.textContent = "There is nothing to draw: the file has no rows.";
        return;
      }
      if (narrow) {
        unit.width = Math.min(unit.width, room - 110);
        if (spec.facet) spec.columns = 1;
      }
      embedChart(chart, spec, {config: {legend: narrow ? {orient: "bottom", columns: 1} : {}}});
    }
    addEventListener("DOMContentLoaded", () => {
      for (const picture of document.querySelectorAll("main img")) {
        const revision = picture.previousElementSibling, name = picture.parentElement.parentElement.querySelector("p, h2");
        picture.alt = `${name.textContent} of ${revision.textContent}`;
        if (name.tagName === "P") name.outerHTML = `<h2>${name.innerHTML}</h2>`;
      }
    });
  </script>
</head>
<body>
<h1>Plots</h1>
<main>
{plot_divs}
</main>
</body>
</html>
"""


def main() -> None:
    library = vl_convert.javascript_bundle("window.embedChart = vegaEmbed;", vl_version="5.20")
    Path(sys.argv[1]).write_text(PAGE.replace("LIBRARY", library), encoding="utf-8")


if __name__ == "__main__":
    main()
