"""Write the page that `dvc plots` fills with charts: `python -m report.charts <path>`. It loads nothing from elsewhere.

DVC's own page loads its chart library from a content network and stays empty without it; here the library is inside.
"""

import sys
from pathlib import Path

import vl_convert

# DVC replaces the words in braces. Its charts are specifications of Vega-Lite 5.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  {{refresh_tag}}
  <title>Plots</title>
  <style>body {{ font-family: sans-serif }}</style>
  <script>(() => {{"use strict"; {library}}})()</script>
</head>
<body>
{{plot_divs}}
</body>
</html>
"""


def main() -> None:
    library = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="5.20")
    Path(sys.argv[1]).write_text(PAGE.format(library=library), encoding="utf-8")


if __name__ == "__main__":
    main()
