"""The commands of the README in a notebook, where learners sit."""

import json
import venv

import pytest
from conftest import Project

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# Runs cells in one kernel; prints what each of them shows.
RUN_CELLS = """
import json, sys, nbclient, nbformat
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in sys.argv[1:]])
nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
print(json.dumps(["".join(output["text"] for output in cell.outputs) for cell in notebook.cells]))
"""


@pytest.fixture
def run_cells(tmp_path):
    """Runs cells of a notebook in the folder of a project; gives what each of them shows."""
    venv.create(tmp_path / "notebook", with_pip=True)
    python = str(tmp_path / "notebook/bin/python")
    Project(tmp_path).run(python, "-m", "pip", "install", "--quiet", "ipykernel", "nbclient")

    def run(project: Project, *cells: str) -> list[str]:
        return json.loads(project.run(python, "-c", RUN_CELLS, *cells, IPYTHONDIR=str(tmp_path)).splitlines()[-1])

    return run


def test_the_commands_of_the_readme_give_the_same_bytes_from_a_notebook(make_project, make_finished_project, run_cells):
    """The kernel has packages of its own; PATH has it start the project's commands, as in an active environment."""
    expected, project = make_finished_project().outputs(), make_project()
    cells = (
        "!dvc repro; echo status $?",
        "!python -m stages.evaluate; echo status $?",
        "import os; print(os.environ['MPLBACKEND'])",
    )
    repro, evaluate, backend = run_cells(project, *cells)
    assert "inline" in backend, "the kernel exports what matplotlib can't be imported with in another environment"
    assert "> exec python -m stages.evaluate" in repro
    for printed in repro, evaluate:
        assert "status 0" in printed, printed
        assert "Traceback" not in printed
    assert project.outputs() == expected
