import pytest
import yaml
from conftest import ROOT

from stages import StageError
from stages.params import read_params


@pytest.fixture
def problems(tmp_path):
    """Sets parameters by their full names and gives the sentences that reading them ends with."""

    def read(**values: object) -> list[str]:
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        for name, value in values.items():
            *sections, key = name.split("__")
            section = params
            for part in sections:
                section = section[part]
            section[key] = value
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(params))
        with pytest.raises(StageError) as error:
            read_params(path)
        return [line.removeprefix(f"{path}: ") for line in str(error.value).splitlines()]

    return read


def test_the_parameters_are_the_lesson_by_default():
    params = read_params(ROOT / "params.yaml")
    assert params.fetch.source == "package"
    assert params.split.model_dump() == {"num_words": 1000, "skip_top": 20, "train_size": 20000, "seed": 42}
    assert params.pad.model_dump() == {"maxlen": 100, "padding": "pre", "truncating": "pre"}
    assert params.model.model_dump() == {
        "input": "embedding", "embedding_dim": 32, "cell": "simple_rnn", "units": 8, "dropout": 0.0
    }  # fmt: skip
    assert params.train.model_dump() == {
        "optimizer": "adam", "learning_rate": None, "epochs": 10, "batch_size": 32, "seed": 42, "patience": None
    }  # fmt: skip
    assert params.evaluate.threshold == 0.5


def test_an_unknown_parameter_is_refused_and_the_nearest_one_named(problems):
    assert problems(train__epoch=3) == ["`train.epoch` is no parameter; the nearest one is `train.epochs`."]
    assert problems(spilt={}) == ["`spilt` is no parameter; the nearest one is `split`."]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"train__epochs": 0}, "`train.epochs` is 0: input should be greater than or equal to 1."),
        ({"train__epochs": "10"}, "`train.epochs` is \"10\": input should be a valid integer."),
        ({"train__epochs": True}, "`train.epochs` is true: input should be a valid integer."),
        ({"train__learning_rate": -0.1}, "`train.learning_rate` is -0.1: input should be greater than 0."),
        ({"evaluate__threshold": 1.5}, "`evaluate.threshold` is 1.5: input should be less than or equal to 1."),
        ({"model__dropout": 1.0}, "`model.dropout` is 1.0: input should be less than 1."),
        ({"train__patience": 0}, "`train.patience` is 0: input should be greater than or equal to 1."),
        ({"model__cell": "rnn"}, "`model.cell` is \"rnn\": input should be 'simple_rnn', 'lstm' or 'gru'."),
        ({"fetch__sha256__train": None}, "`fetch.sha256.train` is null: input should be a valid string."),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(problems, values, sentence):
    assert problems(**values) == [sentence]


def test_num_words_must_leave_words(problems):
    (sentence,) = problems(split__num_words=20)
    assert "num_words (20) must be above skip_top (20), or no word stays" in sentence


def test_all_problems_are_told_at_once(problems):
    assert len(problems(train__epochs=0, pad__maxlen=0, evaluate__threshold=2)) == 3


def test_a_missing_parameter_is_named(tmp_path):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    del params["pad"]["maxlen"], params["evaluate"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(StageError, match=r"`pad.maxlen` is missing.\n.*`evaluate` is missing."):
        read_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("content", ["", "- a list", "{", "just text"])
def test_a_file_that_holds_no_parameters_is_refused(tmp_path, content):
    (tmp_path / "params.yaml").write_text(content)
    with pytest.raises(StageError, match=r"params\.yaml"):
        read_params(tmp_path / "params.yaml")
