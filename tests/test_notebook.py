"""The commands of the README in a notebook, where learners sit."""

import json
import venv

import pytest

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

# Runs cells in one kernel; prints what each of them shows.
RUN_CELLS = """
import json, sys, nbclient, nbformat
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in sys.argv[1:]])
nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
print(json.dumps(["".join(output["text"] for output in cell.outputs) for cell in notebook.cells]))
"""


def test_the_commands_of_the_readme_give_the_same_bytes_from_a_notebook(project, tmp_path):
    """The kernel has packages of its own; PATH has it start the project's commands, as in an active environment."""
    venv.create(tmp_path / "notebook", with_pip=True)
    python = str(tmp_path / "notebook/bin/python")
    project.run(python, "-m", "pip", "install", "--quiet", "ipykernel", "nbclient")
    expected = project.outputs()
    cells = (
        "!dvc repro --force --single-item evaluate; echo status $?",
        "!python -m stages.evaluate; echo status $?",
        '!python -c "from sentiment.corpus.sources import from_keras; from_keras()"',
        "import os; print(os.environ['MPLBACKEND'])",
    )
    printed = project.run(python, "-c", RUN_CELLS, *cells, IPYTHONDIR=str(tmp_path))
    repro, evaluate, source_keras, backend = json.loads(printed.splitlines()[-1])
    assert "inline" in backend, "the kernel exports what matplotlib can't be imported with in another environment"
    assert "> exec python -m stages.evaluate" in repro
    for shown in repro, evaluate:
        assert "status 0" in shown, shown
        assert "Traceback" not in shown
    assert "matplotlib" not in source_keras, "Keras imports it; whether there is a network for its reviews is all the same"
    assert project.outputs() == expected
