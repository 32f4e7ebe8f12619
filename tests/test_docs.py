"""What the documents say of the project is there."""

import json
import re

from conftest import ROOT

NAMES = "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "data/own/README.md"
DOCUMENTS = [*(ROOT / name for name in NAMES), *(ROOT / "docs").glob("*.md")]


def test_every_test_that_the_tables_of_errors_name_is_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    rows = re.findall(r"^\| (?!case |---).*\| (.+) \|$", (ROOT / "docs/faults.md").read_text(), re.MULTILINE)
    assert rows
    for row in rows:
        assert re.fullmatch(r"`\w+`(, `\w+`)*", row), row
        for name in re.findall(r"\w+", row):
            assert f"def test_{name}(" in tests, name


def test_the_results_are_told_as_they_are_recorded():
    readme = (ROOT / "README.md").read_text()
    study = json.loads((ROOT / "studies/metrics/study.json").read_text())
    rows = dict(re.findall(r"^\| `(\w+)`: .*?(\|.*)$", (ROOT / "docs/study.md").read_text(), re.MULTILINE))
    assert rows.keys() == study.keys()
    for variant, result in study.items():
        accuracy = result["validation_accuracy"]
        told = f"{accuracy['mean']:.3f}, one run"
        if accuracy["std"] is not None:
            spread = f"{accuracy['min']:.3f} \N{EN DASH} {accuracy['max']:.3f}"
            told = f"{accuracy['mean']:.3f} ± {accuracy['std']:.3f} | {spread}"
        assert f"| {told} |" in rows[variant]
        assert f"| {result['parameters']:,} | {result['input_bytes']:,} |" in rows[variant]
        for name, difference in result.items():
            if name.startswith("difference_to_"):
                told = f"{difference['mean']:+.3f} ± {difference['standard_error']:.3f}".replace("-", "\N{MINUS SIGN}")
                reference = name.removeprefix("difference_to_")
                assert f"| {told}{'' if reference == 'embedding' else f' to `{reference}`'} |" in rows[variant]

    first_screen = " ".join(readme[: readme.index("## ")].split())
    accuracy = json.loads((ROOT / "metrics/metrics.json").read_text())["validation"]["accuracy"]
    ten_seeds = study["embedding"]["validation_accuracy"]
    assert f"validation.accuracy {accuracy} {accuracy} 0.0 " in first_screen
    assert f"**{100 * accuracy:.1f} % of the 5,000 validation reviews**" in first_screen
    assert f"ten of our seeds give {ten_seeds['mean']:.3f} ± {ten_seeds['std']:.3f}" in first_screen


def test_the_links_of_the_documents_lead_somewhere():
    for document in DOCUMENTS:
        for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", document.read_text()):
            target = document.parent / path if path else document
            assert target.exists(), f"{document}: {path}"
            if anchor:
                headings = re.findall(r"^##* (.+)$", target.read_text(), re.MULTILINE)
                anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
                assert anchor in anchors, f"{document}: {path}#{anchor}"
