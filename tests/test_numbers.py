"""Each number that the documents tell is the one that is found. The sentences with numbers are in told_numbers.py."""
# ruff: noqa: RUF001

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from string import Formatter

import pytest
import told_numbers
from conftest import ROOT, Project, copy_of_project
from told_numbers import ARCHIVE, EXEMPT, FACTS, NUMBER, RECORDED, SHORT_TEXTS, TRAINING_REVIEWS, WORDS, written_out

NAMES = "README.md", "data/README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = {name: (ROOT / name).read_text() for name in NAMES if name not in EXEMPT}
FACTS_WRITTEN_OUT = {name: list(map(written_out, phrases)) for name, phrases in FACTS.items()}
TABLES = RECORDED, TRAINING_REVIEWS, ARCHIVE, FACTS_WRITTEN_OUT, *SHORT_TEXTS
IN_SENTENCE = rf"({NUMBER}(?: ± {NUMBER})?|\b(?:{'|'.join(WORDS)})\b)"


def line_of(document: str, place: int) -> int:
    return document.count("\n", 0, place) + 1


def without(pattern: str, text: str) -> str:
    """The text with spaces in place of what matches, so that all else stays where it is."""
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.MULTILINE | re.DOTALL)


def readable(document: str) -> str:
    """What sentences can stand in: neither a `console` block, which is a test, nor a comment."""
    return without(r"^```console\n.*?^```$|<!--.*?-->", document)


def numbers(document: str) -> list[re.Match]:
    """The numbers that have to stand in a sentence: those outside of code, addresses of links and numbers of lists."""
    return list(re.finditer(NUMBER, without(r"^```.*?^```$|`[^`]*`|\]\([^)]*\)|^ *\d+\. ", readable(document))))


def places(sentence: str, document: str) -> list[re.Match]:
    """Where the sentence stands, with whatever numbers; these are the groups."""
    pattern = ""
    for text, expression, _, _ in Formatter().parse(sentence):
        pattern += re.sub(r"(?:\\ )+", r"[\\s>]+", re.escape(text)).replace("…", ".*?")
        pattern += "" if expression is None else IN_SENTENCE
    return list(re.finditer(pattern, readable(document)))


def expected(sentence: str, values: dict) -> list[str]:
    """The numbers that have to stand in it."""
    fields = [(expression, form) for _, expression, form, _ in Formatter().parse(sentence) if expression is not None]
    return [format(eval(expression, vars(told_numbers) | values), form) for expression, form in fields]


def problems(name: str, document: str, sentences: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong in the document. `sentences` has the numbers of each."""
    for sentence, right in sentences.items():
        found = places(sentence, document)
        if not found:
            yield f"{name}: this sentence does not stand there: {sentence}"
        for place in found:
            for group, number in enumerate(right, start=1):
                line = line_of(document, place.start(group))
                if place[group] != number:
                    yield f"{name}, line {line}: {place[group]} stands there, but it is {number}"


def another(number: str) -> str:
    """One unit of the last digit more, or less."""
    if number in WORDS:
        return WORDS[WORDS.index(number) - 1]
    return number[:-1] + (str(int(number[-1]) + 1) if number[-1] < "9" else "8")


def changes(document: str, sentences: Iterable[str]) -> Iterator[tuple[int, str]]:
    """For each number in these sentences, its line, and the document in which it is another."""
    for sentence in sentences:
        for place in places(sentence, document):
            for group in range(1, len(place.groups()) + 1):
                for number in re.finditer(rf"{NUMBER}|[a-z]+", place[group]):
                    start, end = (place.start(group) + offset for offset in number.span())
                    yield line_of(document, start), document[:start] + another(number[0]) + document[end:]


def check(table: dict[str, list[str]], values: dict) -> None:
    """Each number is right, and one that differs by one unit would be told with its line."""
    right = {name: {sentence: expected(sentence, values) for sentence in sentences} for name, sentences in table.items()}
    wrong = [problem for name, sentences in right.items() for problem in problems(name, DOCUMENTS[name], sentences)]
    assert not wrong, "\n".join(["", *wrong])
    for name, sentences in right.items():
        for line, document in changes(DOCUMENTS[name], sentences):
            start = f"{name}, line {line}: "
            assert any(problem.startswith(start) for problem in problems(name, document, sentences)), start


def test_the_numbers_in_the_documents_are_those_that_are_recorded():
    check(RECORDED, {})


def test_what_comes_from_elsewhere_is_told_as_it_was_found():
    check(FACTS_WRITTEN_OUT, {})


@pytest.mark.real
def test_the_numbers_of_the_training_reviews_are_those_of_the_package():
    check(TRAINING_REVIEWS, told_numbers.of_training_reviews())


@pytest.mark.pipeline
@pytest.mark.real
@pytest.mark.slow
def test_the_numbers_of_the_test_reviews_are_those_of_the_archive(real_data, tmp_path):
    archive = real_data / "aclImdb_v1_labelled.tar.gz"
    copy_of_project(tmp_path)
    project = Project(tmp_path)
    project.run("git", "init", "--quiet")
    project.set_params(fetch__source="archive", fetch__archive=str(archive))
    project.run("dvc", "repro", "--quiet")
    check(ARCHIVE, told_numbers.of_archive(archive, tmp_path))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_stands_in_a_sentence_that_is_checked(name):
    document = DOCUMENTS[name]
    found = [place for table in TABLES for sentence in table.get(name, []) for place in places(sentence, document)]
    spans = [place.span(group) for place in found for group in range(1, len(place.groups()) + 1)]
    missing = [
        f"{name}, line {line_of(document, number.start())}: {number[0]} stands in no sentence of told_numbers.py"
        for number in numbers(document)
        if not any(start <= number.start() < end for start, end in spans)
    ]
    assert not missing, "\n".join(["", *missing])


def test_the_sentences_that_are_checked_have_no_other_numbers():
    for table in TABLES:
        for sentence in chain.from_iterable(table.values()):
            assert not any(re.search(NUMBER, text) for text, *_ in Formatter().parse(sentence)), sentence


def test_what_is_a_number_and_what_is_not():
    text = "On x86-64 with AVX-512 and v1.0, −0.109 ± 0.003, 1,000; 3.15.1 (142–150), 7e-7. `x 5` [a](b#1) U+0085\n1. A 30 %"
    found = ["−0.109", "0.003", "1,000", "3.15.1", "142", "150", "7e-7", "30"]
    assert [number[0] for number in numbers(f"{text}\n```console\n$ 6\n```\n<!-- 7 -->\n")] == found


def test_a_wrong_number_is_told_with_its_line_and_what_it_is():
    document = "# A title\n\nIt is\n5 of 1,000.\nOn ten.\n"
    told = list(problems("doc", document, {"is {} of {}.": ["6", "1,000"], "On {}.": ["nine"], "Off {}": ["1"]}))
    assert told == [
        "doc, line 4: 5 stands there, but it is 6",
        "doc, line 5: ten stands there, but it is nine",
        "doc: this sentence does not stand there: Off {}",
    ]
