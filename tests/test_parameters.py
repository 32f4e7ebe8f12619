"""What params.yaml may say: problems are told by full name, with what is allowed, all at once, by every command."""

import random
import re

import pytest
from conftest import ROOT, Project, write_yaml
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from sentiment.common.errors import UserError
from sentiment.common.parameters import documented_keys, read_params
from sentiment.common.yaml_reader import read_yaml
from stages import evaluate, fetch, pad, split, train


@pytest.fixture
def problems(tmp_path):
    """Sets parameters by their full names and gives the sentences that reading them ends with."""

    def read(**values: object) -> list[str]:
        (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        Project(tmp_path).set_params(**values)
        with pytest.raises(UserError) as error:
            read_params(tmp_path / "params.yaml")
        return [line.removeprefix(f"{tmp_path}/params.yaml: ") for line in str(error.value).splitlines()]

    return read


def test_every_parameter_says_what_it_means():
    for name, meaning in documented_keys():
        assert len(meaning) > 15, name


def test_an_experiment_changes_the_lines_of_its_parameters_and_no_other(tmp_path):
    """`dvc exp run -S` writes the file anew: null as nothing, a list with an item a line. So has it been written."""
    changed = tmp_path / "params.yaml"
    changed.write_bytes((ROOT / "params.yaml").read_bytes())
    before = changed.read_text().splitlines()
    apply_overrides(changed, ["model.cell=gru", "train.learning_rate=0.01"])
    pairs = zip(before, changed.read_text().splitlines(), strict=True)
    assert [line.split()[:2] for old, line in pairs if old != line] == [["cell:", "gru"], ["learning_rate:", "0.01"]]


def test_an_unknown_parameter_is_refused_and_the_nearest_one_named(problems):
    assert problems(train__epoch=3) == ["`train.epoch` is not a parameter; the closest one is `train.epochs`."]
    assert problems(spilt={}) == ["`spilt` is not a parameter; the closest one is `split`."]


@pytest.mark.parametrize(
    ("parameter", "value", "is_told"),
    [
        ("train__epochs", 0, "is 0: input should be greater than or equal to 1"),
        ("train__epochs", "10", 'is "10": input should be a valid integer'),
        ("train__epochs", 1e3, "is 1000.0: input should be a valid integer"),
        ("train__epochs", True, "is true: input should be a valid integer"),
        ("train__epochs", None, "is null: input should be a valid integer"),
        ("train__batch_size", 0, "is 0: input should be greater than or equal to 1"),
        ("train__learning_rate", -0.1, "is -0.1: input should be greater than 0"),
        ("train__learning_rate", float("inf"), "is Infinity: input should be a finite number"),
        ("train__seed", 2**32, "is 4294967296: input should be less than 4294967296"),
        ("train__optimizer", "sdg", "is \"sdg\": input should be 'adam', 'sgd' or 'rmsprop'"),
        ("split__skip_top", -1, "is -1: input should be greater than or equal to 0"),
        ("split__num_words", 20, "is 20: it must be above `split.skip_top`, which is 20, or no word remains"),
        ("split__train_size", 0, "is 0: it must be a number of reviews, from 1 to 2147483647, or a share between 0 and 1"),
        ("fetch__csv__positive", [], "is []: list should have at least 1 item after validation, not 0"),
        ("fetch__csv__tokens", "letters", "is \"letters\": input should be 'words' or 'characters'"),
        ("pad__maxlen", 0, "is 0: input should be greater than or equal to 1"),
        ("pad__padding", False, "is false: input should be 'pre' or 'post'"),
        ("model__dropout", 1.0, "is 1.0: input should be less than 1"),
        ("model__output_dropout", 1.0, "is 1.0: input should be less than 1"),
        ("model__bidirectional", "yes", 'is "yes": input should be a valid boolean'),
        ("model__pooling", "avg", "is \"avg\": input should be 'last', 'max', 'mean' or 'max_mean'"),
        ("train__schedule", "cosine", "is \"cosine\": input should be 'constant' or 'linear'"),
        ("model__cell", "rnn", "is \"rnn\": input should be 'simple_rnn', 'lstm' or 'gru'"),
        ("evaluate__threshold", 1.5, "is 1.5: input should be less than or equal to 1"),
        ("fetch__source", "url", "is \"url\": input should be 'package', 'keras', 'archive' or 'csv'"),
        ("fetch__archive", "", 'is "": string should have at least 1 character'),
        ("fetch__sha256__train", None, "is null: input should be a valid string"),
        ("fetch__sha256__train", "0f", "is \"0f\": string should match pattern '^[0-9a-f]{64}$'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(problems, parameter, value, is_told):
    assert problems(**{parameter: value}) == [f"`{parameter.replace('__', '.')}` {is_told}."]


def test_a_label_of_both_classes_is_refused_whatever_its_case(problems):
    assert problems(fetch__csv__negative=["bad", " POS"]) == [
        "`fetch.csv.positive` and `fetch.csv.negative` both have 'pos': leave it in one of them."
    ]


def test_a_label_that_yaml_takes_for_a_number_is_refused(problems):
    assert problems(fetch__csv__positive=["good", 1]) == ["`fetch.csv.positive.1` is 1: input should be a valid string."]


@pytest.mark.parametrize("value", [None, 3, "text", [1]])
def test_a_section_that_is_none_is_refused(problems, value):
    assert problems(pad=value) == ["`pad` must be a section with maxlen, padding, truncating."]


def test_all_problems_are_told_at_once(problems):
    assert len(problems(train__epochs=0, pad__maxlen=0, evaluate__threshold=2)) == 3


def test_a_missing_parameter_is_named_with_its_meaning(tmp_path):
    params = read_yaml(ROOT / "params.yaml")
    del params["pad"]["maxlen"], params["evaluate"]
    path = tmp_path / "params.yaml"
    write_yaml(path, params)
    with pytest.raises(UserError) as error:
        read_params(path)
    assert str(error.value).splitlines() == [
        f"{path}: `pad.maxlen` is missing: length of the padded sequences, in tokens.",
        f"{path}: `evaluate` is missing: a section with threshold.",
    ]


@pytest.mark.parametrize(
    "value", ["010", "1:40", "0x10", "0o17", "yes", "~", ".5", "1e3", "1e-05", "+1", ".inf", "08", "'1_000'"]
)
def test_a_value_is_to_the_stages_what_it_is_to_dvc(tmp_path, value):
    (tmp_path / "params.yaml").write_text(f"value: {value}\n")
    assert read_yaml(tmp_path / "params.yaml") == load_yaml(str(tmp_path / "params.yaml"))


@pytest.mark.parametrize("value", ["1_000", "0b11", "-0x1f", "1_0.5", ".5e3", "2026-11-25", "2026-11-25 10:00:00", "="])
def test_a_value_that_would_be_something_else_to_dvc_is_refused(tmp_path, value):
    path = tmp_path / "params.yaml"
    path.write_text(f"train:\n  seed: {value}\n")
    with pytest.raises(UserError, match=rf"^{path} can't be read: DVC reads `{re.escape(value)}` differently: .*line 2"):
        read_params(path)


def test_a_section_that_merges_another_is_refused(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("pad: &pad\n  maxlen: 100\ntrain:\n  <<: *pad\n")
    with pytest.raises(UserError, match=rf"^{path} can't be read: DVC reads `<<` differently: .*avoid `<<`.*line 4"):
        read_params(path)


def test_all_plain_values_are_to_the_stages_what_they_are_to_dvc_or_refused(tmp_path):
    choices, path = random.Random(0), tmp_path / "params.yaml"
    values = {"".join(choices.choices("0123.eE-+_xob:~", k=choices.randint(1, 6))) for _ in range(500)}
    values |= {f"202{a}-{b}-{c}" for a in range(3) for b in ("1", "11") for c in ("5", "25", "25T10:00:00")}
    for value in sorted(values):
        path.write_text(f"value: {value}\n")
        try:
            read = read_yaml(path)
        except UserError:
            continue
        expected = load_yaml(str(path))
        assert read == expected, value
        assert type(read) is type(expected), value


@pytest.mark.parametrize(
    ("content", "is_told"),
    [
        (b"", "must hold the sections fetch, split, pad, model, train, evaluate"),
        (b"- a list", "must hold the sections"),
        (b"just text", "must hold the sections"),
        (b"split:\n  seed: [", "can't be read: .*line 2, column 10"),
        (b"split:\n\tseed: 1", "can't be read: .*line 2, column 1"),
        (b"[" * 5000, "can't be read"),
        (b"split:\n  seed: 1\n  seed: 2\n", "can't be read: .*found duplicate key .*line 3"),
        (b"a: \xff", "can't be read: 'utf-8' codec can't decode byte 0xff"),
        (None, "does not exist: run the command in the project's folder"),
    ],
)
def test_a_file_that_holds_no_parameters_is_refused_in_one_sentence(tmp_path, content, is_told):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=rf"^{path} {is_told}.*\.$") as error:
        read_params(path)
    assert "\n" not in str(error.value)


@pytest.fixture
def project(make_finished_project):
    return make_finished_project()


@pytest.mark.pipeline
def test_every_stage_refuses_a_bad_parameter_of_any_section_with_the_same_sentences(project, monkeypatch):
    before = project.outputs()
    project.set_params(evaluate__threshold=2, train__epoch=3, split__seed=1)
    sentences = (
        "params.yaml: `train.epoch` is not a parameter; the closest one is `train.epochs`.\n"
        "params.yaml: `evaluate.threshold` is 2: input should be less than or equal to 1."
    )
    monkeypatch.chdir(project.folder)
    for stage in fetch, split, pad, train, evaluate:
        with pytest.raises(UserError) as error:
            stage.main()
        assert str(error.value) == sentences
    assert project.outputs() == before
    printed = project.run("dvc", "repro", status=255)
    assert "Running stage 'split'" in printed
    assert f"ERROR: {sentences}\n" in printed
    assert "Traceback" not in printed


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("content", "is_told"),
    [
        ("", "Could not find 'fetch.csv.folder'"),
        ("{", "unable to read: 'params.yaml', YAML file structure is corrupted"),
    ],
)
def test_a_file_that_dvc_itself_can_not_use_is_refused_by_dvc(project, content, is_told):
    (project.folder / "params.yaml").write_text(content)
    printed = project.run("dvc", "repro", status=255)
    assert is_told in printed
    assert "Traceback" not in printed


@pytest.mark.pipeline
def test_an_unknown_section_is_refused_by_make_and_by_the_next_stage_that_runs(project):
    project.set_params(evalaute={"threshold": 0.5})
    assert project.repro() == []
    sentence = "ERROR: params.yaml: `evalaute` is not a parameter; the closest one is `evaluate`."
    (project.folder / ".venv").symlink_to(ROOT / ".venv")
    for target in "run", "study":
        printed = project.run("make", target, "--old-file=.venv/installed", status=2)
        assert sentence in printed
        assert "Running stage" not in printed
    project.set_params(pad__maxlen=10)
    assert sentence in project.run("dvc", "repro", status=255)
