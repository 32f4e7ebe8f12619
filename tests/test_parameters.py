"""What params.yaml may say: problems are told by full name, with what is allowed, all at once, by every command.

What nobody writes into it by chance ends in one short sentence as well, soon, and steers no terminal.
"""

import random
import re
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from conftest import ROOT, Project, write_yaml
from dvc.utils.serialize import load_yaml

from sentiment.common.errors import UserError
from sentiment.common.parameters import read_params
from sentiment.common.yaml_reader import read_yaml
from stages import evaluate, fetch, pad, split, train

DEFAULT = (ROOT / "params.yaml").read_text()


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(DEFAULT)
    return path


def refusal(path: Path) -> str:
    """What is said of the file, without its name: it comes within seconds and is short."""
    started = time.process_time()
    with pytest.raises(UserError) as error:
        read_params(path)
    assert time.process_time() - started < 2
    told = str(error.value)
    assert len(told) < 8000
    return told.replace(f"{path}", "params.yaml")


@pytest.fixture
def problems(path):
    """Sets parameters by their full names and gives the sentences that reading them ends with."""

    def read(**values: object) -> list[str]:
        path.write_text(DEFAULT)
        Project(path.parent).set_params(**values)
        return [line.removeprefix("params.yaml: ") for line in refusal(path).splitlines()]

    return read


def test_an_unknown_parameter_is_refused_and_the_nearest_one_named(problems):
    assert problems(train__epoch=3) == ["`train.epoch` is not a parameter; the closest one is `train.epochs`."]
    assert problems(spilt={}) == ["`spilt` is not a parameter; the closest one is `split`."]


CODECS = "it must be an encoding that Python knows, such as utf-8, utf-16, cp1252 or mac_roman"


@pytest.mark.parametrize(
    ("parameter", "value", "is_told"),
    [
        ("train__epochs", 0, "is 0: input should be greater than or equal to 1"),
        ("train__epochs", "10", 'is "10": input should be a valid integer'),
        ("train__epochs", 1e3, "is 1000.0: input should be a valid integer"),
        ("train__epochs", True, "is true: input should be a valid integer"),
        ("train__epochs", None, "is null: input should be a valid integer"),
        ("train__learning_rate", -0.1, "is -0.1: input should be greater than 0"),
        ("train__learning_rate", float("inf"), "is Infinity: input should be a finite number"),
        ("train__seed", 2**32, "is 4294967296: input should be less than 4294967296"),
        ("train__optimizer", "sdg", "is \"sdg\": input should be 'adam', 'sgd' or 'rmsprop'"),
        ("split__skip_top", -1, "is -1: input should be greater than or equal to 0"),
        ("split__num_words", 20, "is 20: it must be above `split.skip_top`, which is 20, or no word remains"),
        ("split__train_size", 0, "is 0: it must be a number of reviews, from 1 to 2147483647, or a share between 0 and 1"),
        ("fetch__csv__positive", [], "is []: list should have at least 1 item after validation, not 0"),
        ("fetch__csv__tokens", "letters", "is \"letters\": input should be 'words' or 'characters'"),
        ("fetch__csv__encoding", "utf9", f"is 'utf9': {CODECS}"),
        ("pad__maxlen", 0, "is 0: input should be greater than or equal to 1"),
        ("pad__padding", False, "is false: input should be 'pre' or 'post'"),
        ("model__dropout", 1.0, "is 1.0: input should be less than 1"),
        ("model__output_dropout", 1.0, "is 1.0: input should be less than 1"),
        ("model__bidirectional", "yes", 'is "yes": input should be a valid boolean'),
        ("model__pooling", "avg", "is \"avg\": input should be 'last', 'max', 'mean' or 'max_mean'"),
        ("train__schedule", "cosine", "is \"cosine\": input should be 'constant' or 'linear'"),
        ("model__cell", "rnn", "is \"rnn\": input should be 'simple_rnn', 'lstm', 'gru' or 'none'"),
        ("evaluate__threshold", 1.5, "is 1.5: input should be less than or equal to 1"),
        ("fetch__source", "url", "is \"url\": input should be 'package', 'keras', 'archive' or 'csv'"),
        ("fetch__archive", "", 'is "": string should have at least 1 character'),
        ("fetch__sha256__train", "0f", "is \"0f\": string should match pattern '^[0-9a-f]{64}$'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(problems, parameter, value, is_told):
    assert problems(**{parameter: value}) == [f"`{parameter.replace('__', '.')}` {is_told}."]


def test_a_label_of_both_classes_is_refused_whatever_its_case_and_however_its_letters_are_composed(problems):
    for other in "negative", "ignore":
        assert problems(**{"fetch__csv__positive": ["n\u00e9"], f"fetch__csv__{other}": ["bad", " NE\u0301"]}) == [
            f"`fetch.csv.positive` and `fetch.csv.{other}` both have 'n\u00e9': leave it in one of them."
        ]


def test_a_label_that_yaml_takes_for_a_number_is_refused(problems):
    assert problems(fetch__csv__positive=["good", 1]) == ["`fetch.csv.positive.1` is 1: input should be a valid string."]


@pytest.mark.parametrize("value", [None, 3, "text", [1]])
def test_a_section_that_is_none_is_refused(problems, value):
    assert problems(pad=value) == ["`pad` must be a section with maxlen, padding, truncating."]


def test_a_missing_parameter_is_named_with_its_meaning(path):
    params = read_yaml(path)
    del params["pad"]["maxlen"], params["evaluate"]
    write_yaml(path, params)
    assert refusal(path).splitlines() == [
        "params.yaml: `pad.maxlen` is missing: length of the padded sequences, in tokens.",
        "params.yaml: `evaluate` is missing: a section with threshold.",
    ]


@pytest.mark.parametrize("name", ["num_words", "embedding_dim", "units", "epochs", "batch_size", "patience", "maxlen"])
def test_a_number_above_all_that_can_be_counted_is_refused_and_the_largest_one_told(path, name):
    largest, must_be = (10**6, "less than or equal to 1000000") if name == "maxlen" else (2**31 - 1, "less than 2147483648")
    for value in largest + 1, 10**400:
        path.write_text(re.sub(rf"\b{name}: ?\w*", f"{name}: {value}", DEFAULT))
        assert re.fullmatch(rf"params\.yaml: `\w+\.{name}` is {value!s:.80}: input should be {must_be}\.", refusal(path))
    path.write_text(re.sub(rf"\b{name}: ?\w*", f"{name}: {largest}", DEFAULT))
    assert read_params(path)


def with_epochs(value: str) -> str:
    """params.yaml with this in place of the number of epochs."""
    return DEFAULT.replace("epochs: 10", f"epochs: {value}")


def of_epochs(is_told: str, *values: str) -> dict[str, tuple[str, str]]:
    return {f"{value[:20]}…": (with_epochs(value), f"can't be read: {is_told}") for value in values}


NOT_READ = {
    "nothing": ("", "must hold the sections fetch, split, pad, model, train, evaluate"),
    "a list": ("- a list", "must hold the sections"),
    "an open list": ("split:\n  seed: [", "can't be read: .*line 2, column 10"),
    "a key twice": ("split:\n  seed: 1\n  seed: 2\n", "can't be read: .*found duplicate key .*line 3"),
    "another encoding": ("a: \udcff", "can't be read: 'utf-8' codec can't decode byte 0xff"),
    "a merged section": ("pad: &pad\n  maxlen: 1\ntrain:\n  <<: *pad", "can't be read: DVC reads `<<` differently: .*line 4"),
    **of_epochs("", "!!bool yes", "!!python/object:os.system 1", 5000 * "9", 5000 * "["),
    **of_epochs(
        r"DVC reads `.*` differently: write numbers in plain digits, .*, line \d+, column 11",
        "1_000", "0b11", "-0x1f", "1_0.5", ".5e3", "2026-11-25", "2026-11-25 10:00:00", "=",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "is_told"), NOT_READ.values(), ids=map(ascii, NOT_READ))
def test_a_file_that_holds_no_parameters_is_refused_in_one_sentence(path, content, is_told):
    path.write_text(content, errors="surrogateescape")
    assert re.fullmatch(rf"params\.yaml {is_told}.*\.", refusal(path))


def test_a_file_that_is_not_there_is_told(path):
    path.unlink()
    assert refusal(path) == "params.yaml does not exist: run the command in the project's folder, which has a params.yaml."


DOUBLED = "l0: &l0 [x, x]\n" + "".join(f"l{i + 1}: &l{i + 1} [*l{i}, *l{i}]\n" for i in range(40))


@pytest.mark.parametrize(
    "content",
    [
        DEFAULT.replace("  epochs: 10", f"  epochs: 10\n  ? {90_000 * 'x'}\n  : 1"),
        with_epochs(f"'{90_000 * 'x'}'"),
        with_epochs("1_" * 40_000),
        with_epochs(f"*{90_000 * 'x'}"),
        with_epochs("&a [*a]"),
        DOUBLED + with_epochs("*l40"),
        "".join(f"a{i}: 1\n" for i in range(9000)),
    ],
    ids=["key", "text", "number of DVC", "alias", "list in itself", "2**41 items", "keys"],
)
def test_what_is_long_is_not_repeated(path, content):
    path.write_text(content)
    assert len(max(refusal(path).splitlines(), key=len)) < 500


def test_whatever_is_done_to_the_file_it_is_read_or_refused(path):
    """300 times, pieces of it are replaced by something that YAML has a meaning for."""
    choices = random.Random(0)
    pieces = [*"\t\n !&*-?:[]{}#|>@`\"'%,~=\\\x1b\x85", "!!", "<<: ", "&a ", "*a", "\\U", "- - ", "? ", "---\n", "...", "0x"]
    for _ in range(300):
        content = DEFAULT
        for _ in range(choices.randint(1, 4)):
            start = choices.randrange(len(content))
            content = content[:start] + choices.choice(pieces) + content[start + choices.randint(0, 8) :]
        path.write_text(content)
        with suppress(UserError):
            read_params(path)


READ_BY_BOTH = "010 1:40 0x10 0o17 yes ~ .5 1e3 1e-05 +1 .inf 08 '1_000'".split()


def test_a_value_is_to_the_stages_what_it_is_to_dvc(path):
    """Others than these may also be refused."""
    choices = random.Random(0)
    values = {"".join(choices.choices("0123.eE-+_xob:~", k=choices.randint(1, 6))) for _ in range(500)}
    values |= {f"202{a}-{b}-{c}" for a in range(3) for b in ("1", "11") for c in ("5", "25", "25T10:00:00")}
    for value in [*READ_BY_BOTH, *sorted(values)]:
        path.write_text(f"value: {value}\n")
        with nullcontext() if value in READ_BY_BOTH else suppress(UserError):
            read, expected = read_yaml(path), load_yaml(str(path))
            assert (read, type(read)) == (expected, type(expected)), value


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
