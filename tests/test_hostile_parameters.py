"""What nobody writes into params.yaml by chance: it ends in one short sentence, soon, and steers no terminal."""

import os
import random
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT, Project

from sentiment.common.errors import UserError
from sentiment.common.parameters import read_params

DEFAULT = (ROOT / "params.yaml").read_text()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "params.yaml"


def refusal(path: Path, content: str | bytes) -> str:
    """What is said of such a file, without its name: it comes within seconds and is short."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    started = time.process_time()
    with pytest.raises(UserError) as error:
        read_params(path)
    assert time.process_time() - started < 2
    told = str(error.value)
    assert len(told) < 8000
    return told.replace(f"{path}", "params.yaml")


@pytest.mark.parametrize("value", ["!!bool yes", '!!int ""', "! 10", "!!python/object:os.system 1", "!!set {a}"])
def test_a_value_with_a_tag_is_refused(path, value):
    line = DEFAULT[: DEFAULT.index("epochs: 10")].count("\n") + 1
    assert refusal(path, DEFAULT.replace("epochs: 10", f"epochs: {value}")) == (
        f'params.yaml can\'t be read: write values without tags, such as `!!int`; see in "params.yaml", line {line}, column 11.'
    )


@pytest.mark.parametrize("value", ['"\\UFFFFFFFF"', '"\\U00110000"', 5000 * "9"], ids=["far beyond", "beyond", "digits"])
def test_a_character_or_a_number_that_there_is_none_of_is_refused(path, value):
    assert refusal(path, DEFAULT.replace("epochs: 10", f"epochs: {value}")) == (
        "params.yaml can't be read: it has a number of thousands of digits, or an escape `\\U` that is not a character."
    )


@pytest.mark.parametrize("name", ["num_words", "embedding_dim", "units", "epochs", "batch_size", "patience", "maxlen"])
def test_a_number_above_all_that_can_be_counted_is_refused_and_the_largest_one_told(path, name):
    largest, must_be = (10**6, "less than or equal to 1000000") if name == "maxlen" else (2**31 - 1, "less than 2147483648")

    def with_value(value: int) -> str:
        return re.sub(rf"\b{name}: ?\w*", f"{name}: {value}", DEFAULT)

    for value in largest + 1, 10**400:
        must = rf"params\.yaml: `\w+\.{name}` is {value!s:.80}: input should be {must_be}\."
        assert re.fullmatch(must, refusal(path, with_value(value)))
    path.write_text(with_value(largest))
    assert read_params(path)


@pytest.mark.parametrize("content", [99_999 * "[", 99_999 * "{", 40_000 * "- ", 40_000 * "? ", "a: " + 5000 * "[a, "])
def test_lists_in_lists_without_end_are_refused_at_once(path, content):
    assert re.fullmatch(
        r'params\.yaml can\'t be read: more than 40 lists and sections are nested; see in "params\.yaml", .*\.',
        refusal(path, content),
    )


@pytest.mark.parametrize("content", [DEFAULT + 100_000 * "#", 100_001 * "[", 10**8 * b"\n"], ids=["comment", "lists", "large"])
def test_a_file_that_is_too_large_is_refused_before_it_is_read(path, content):
    assert re.fullmatch(r"params\.yaml can't be read: it has [\d,]+ bytes; at most 100,000 are read\.", refusal(path, content))


def test_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for(path):
    os.mkfifo(path)
    with pytest.raises(UserError, match=rf"^{path} can't be read: it is not a regular file\.$"):
        read_params(path)


DOUBLED = "l0: &l0 [x, x]\n" + "".join(f"l{i + 1}: &l{i + 1} [*l{i}, *l{i}]\n" for i in range(40))


@pytest.mark.parametrize(
    ("before", "value", "shown"),
    [(DOUBLED, "*l40", "[[...], [...]]"), ("", "&a [*a]", "[[...]]")],
    ids=["others, a million times", "itself"],
)
def test_a_list_that_holds_others_a_million_times_is_not_printed(path, before, value, shown):
    told = refusal(path, before + DEFAULT.replace("epochs: 10", f"epochs: {value}"))
    assert f"`train.epochs` is {shown}: input should be a valid integer." in told


@pytest.mark.parametrize(
    "content",
    [
        DEFAULT.replace("  epochs: 10", f"  epochs: 10\n  ? {90_000 * 'x'}\n  : 1"),
        DEFAULT.replace("epochs: 10", f"epochs: '{90_000 * 'x'}'"),
        DEFAULT.replace("seed: 42", f"seed: {'1_' * 40_000}"),
        DEFAULT.replace("epochs: 10", f"epochs: *{90_000 * 'x'}"),
        DEFAULT.replace("learning_rate:", f"learning_rate: {10**400}"),
        DEFAULT.replace("archive: https", f"archive: {'x' * 80_000}"),
        "".join(f"a{i}: 1\n" for i in range(9000)),
    ],
    ids=["key", "text", "number with underscores", "alias", "number", "path", "keys"],
)
def test_what_is_long_is_not_repeated(path, content):
    assert len(max(refusal(path, content).splitlines(), key=len)) < 500


def test_an_escape_character_does_not_steer_the_terminal(path):
    path.write_text(DEFAULT.replace("epochs: 10", '"e\\e[31m\\x9b": 10'))
    told = Project(path.parent, ROOT).run("python", "-m", "sentiment.common.parameters", status=1)
    assert "params.yaml: `train.e\\x1b[31m\\x9b` is not a parameter; " in told
    assert told.replace("\n", "").isprintable()


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
