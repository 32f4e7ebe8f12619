"""What the documents say of the project is there."""

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


def test_the_links_of_the_documents_lead_somewhere():
    for document in DOCUMENTS:
        for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", document.read_text()):
            target = document.parent / path if path else document
            assert target.exists(), f"{document}: {path}"
            if anchor:
                headings = re.findall(r"^##* (.+)$", target.read_text(), re.MULTILINE)
                anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
                assert anchor in anchors, f"{document}: {path}#{anchor}"
