"""What a browser that has no network shows of a page."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import is_missing

# The page around it, since a browser's own window is not as narrow as a phone.
AROUND = """<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<iframe src="looked_at.html" style="border: 0; width: {width}px; height: 900px"></iframe>
<script>addEventListener("message", (event) => {{ document.body.textContent = JSON.stringify(event.data); }});</script>"""


# What would run, or end the element that it is in, were it taken for HTML.
HOSTILE = [
    "</script><script>document.title = 'hacked'</script>",
    "<img src=x onerror=\"document.title = 'hacked'\">",
    "\"' onfocus='document.title = 1' autofocus x=\"",
    "javascript:document.title='hacked'",
    "</textarea></title></style><svg onload=\"document.title = 'hacked'\">",
    "<!-- <script> \u2028 \u2029 ]]> {{ 7 * 7 }} ${alert(1)} `",
]


def told(page: str, script: str, folder: Path, width: int = 1300, dark: bool = False) -> dict:
    """What a script at the end of a page tells with `parent.postMessage(…, "*")`, in a window of this width."""
    chromium = shutil.which("chromium")
    if not chromium:
        is_missing("chromium (Debian's package of this name) is not installed")
    # The pages of this project let no script run but their own. This one is let in by its digest.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    (folder / "looked_at.html").write_text(f"{page}<script>{script}</script>", encoding="utf-8")
    around = folder / "around.html"
    around.write_text(AROUND.format(width=width))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", "--dump-dom"]
    options += ["--virtual-time-budget=10000000", "--proxy-server=http://127.0.0.1:9", "--host-resolver-rules=MAP * ~NOTFOUND"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run([chromium, *options, around.as_uri()], capture_output=True, text=True, timeout=600)
    found = re.search(r"<body>(\{.*\})</body>", done.stdout, re.DOTALL)
    return json.loads(html.unescape(found[1])) if found else pytest.fail(done.stderr + done.stdout[-2000:])
