"""The whole pipeline on the real reviews, as a newcomer runs it: `make` in a fresh clone."""

import shutil

import pytest
from conftest import ROOT, Project, copy_of_project

pytestmark = [pytest.mark.pipeline, pytest.mark.real]


def test_make_gives_the_result_of_the_readme_and_changes_nothing_that_git_tracks(tmp_path):
    copy_of_project(tmp_path)
    project = Project(tmp_path)
    project.run("git", "init", "--quiet")
    project.commit()
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    # Without its tracked results, evaluate has to run too; `git status` tells in the end whether it gave the same ones.
    for folder in "metrics", "plots":
        shutil.rmtree(tmp_path / folder)
    # `--old-file`: the environment is set up already.
    printed = project.run("make", "--old-file=.venv/installed")
    for stage in "fetch", "split", "pad", "train", "evaluate":
        assert f"Running stage '{stage}'" in printed
    assert "25000 training reviews, 0 test reviews" in printed
    assert "The pictures are in plots/" in printed
    assert project.run("git", "status", "--porcelain") == ""
