"""What the documents say of the project is there."""

import json
import re

from conftest import ROOT


def test_every_test_that_the_table_of_faults_names_is_there():
    text = (ROOT / "docs/faults.md").read_text()
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    for section in sections:
        heading, *lines = section.splitlines()
        default_file = re.search(r"\(`(test_\w+\.py)`\)$", heading)
        assert default_file, f"which file has the tests of “{heading}”?"
        _, _, *rows = [line for line in lines if line.startswith("|")]
        assert rows, heading
        for row in (re.fullmatch(r"\|.*\| (.+) \|", row)[1] for row in rows):
            rest = row
            while names := re.match(r"((?:`\w+`(?:, )?)+)(?: \(`(test_\w+\.py)`\)(?:, )?)?", rest):
                source = (ROOT / "tests" / (names[2] or default_file[1])).read_text()
                for name in re.findall(r"`(\w+)`", names[1]):
                    assert f"def test_{name}(" in source, name
                rest = rest[names.end() :]
            assert rest in ("", "the same"), rest


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
    accuracy, embedding = json.loads((ROOT / "metrics/metrics.json").read_text())["validation"]["accuracy"], study["embedding"]
    assert (
        f"metrics/metrics.json model.parameters 32337 32337 0 metrics/metrics.json validation.accuracy {accuracy} "
        in first_screen
    )
    assert f"**{100 * accuracy:.1f} % of the 5,000 validation reviews**" in first_screen
    mean, std = (embedding["validation_accuracy"][name] for name in ("mean", "std"))
    assert f"Ten seeds average {mean:.3f}, with a standard deviation of {std:.3f}" in first_screen


def test_the_links_of_the_documents_lead_somewhere():
    for document in (
        "README.md",
        "CONTRIBUTING.md",
        "data/README.md",
        *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    ):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text()):
            assert (ROOT / document).parent.joinpath(target).exists(), f"{document}: {target}"
