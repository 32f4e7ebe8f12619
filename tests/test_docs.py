"""What the documents say of the project is there."""

import re

from conftest import ROOT


def test_every_test_that_the_table_of_faults_names_is_there():
    text = (ROOT / "docs/faults.md").read_text()
    sections = re.split(r"^## .*?\(`(test_\w+\.py)`\)$", text, flags=re.MULTILINE)
    assert len(sections) == 11
    for default_file, section in zip(sections[1::2], sections[2::2], strict=True):
        for row in re.findall(r"^\|.*\| (.+) \|$", section, re.MULTILINE)[2:]:
            rest = row
            while names := re.match(r"((?:`\w+`(?:, )?)+)(?: \(`(test_\w+\.py)`\)(?:, )?)?", rest):
                source = (ROOT / "tests" / (names[2] or default_file)).read_text()
                for name in re.findall(r"`(\w+)`", names[1]):
                    assert f"def test_{name}(" in source, name
                rest = rest[names.end() :]
            assert rest in ("", "the same"), rest
