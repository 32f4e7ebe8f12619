import re
from importlib import metadata

import pytest
from conftest import ROOT, Project


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-tools.txt"])
def test_every_package_is_pinned_and_hashed_and_installed_as_pinned(name):
    text = (ROOT / name).read_text()
    pinned = re.findall(r"^([\w.-]+)==(\S+)( ;[^\\]*)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\w", text, re.MULTILINE)) > 30
    for package, version, only_somewhere in pinned:
        if not only_somewhere:
            assert metadata.version(package) == version


def test_both_requirements_files_pin_the_same_releases():
    run_time, tools = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-tools.txt")
    )
    assert {name: run_time[name] for name in run_time.keys() & tools} == {name: tools[name] for name in run_time.keys() & tools}
    assert "dvc" not in run_time, "a new DVC decides no result, so it must not rerun the stages"


def test_make_says_which_pythons_it_needs(tmp_path):
    project = Project(tmp_path)
    for name in "Makefile", "requirements.txt", "requirements-tools.txt":
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    printed = project.run("make", "PYTHON=false", status=2)
    assert "This project needs Python 3.11, 3.12 or 3.13" in printed


def test_the_analytics_of_dvc_are_off():
    assert Project(ROOT).run("dvc", "config", "core.analytics") == "false\n"
