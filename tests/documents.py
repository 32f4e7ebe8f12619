"""Runs the `console` blocks of a document as a user would type them, and compares what is printed with what stands there.

In what stands there, `…` is for what may differ: alone on its line for any number of lines, else for any characters of one. A
command below which nothing stands prints nothing. One that fails says `ERROR:`, and so does the document. How many spaces stand
between two words does not matter.

What readers need not see is in comments before a block:

    <!-- before: COMMAND -->       the sentence above says to do this, such as to edit a file
    <!-- elsewhere -->             another way than the blocks above: in a fresh clone
    <!-- until it prints this -->  each command is repeated until it prints what stands there, for a quarter of an hour at most
"""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MARKS = "before", "elsewhere", "until it prints this"
END = "the command has ended with status"
PATIENCE = 900.0


class Command(NamedTuple):
    """A command of a block, the lines that stand below it, and the line of the document."""

    text: str
    expected: str
    line: int


class Block(NamedTuple):
    """The commands of a block, and its marks, each with what stands behind its colon."""

    commands: list[Command]
    marks: list[tuple[str, str]]

    def marked(self, name: str) -> list[str]:
        return [value for mark, value in self.marks if mark == name]


def blocks(document: str) -> Iterator[Block]:
    """The `console` blocks of a document in Markdown.

    Raises:
        ValueError: a comment that is not a mark stands before one, or a block does not begin with a command.
    """
    for found in re.finditer(r"^((?:<!-- .+ -->\n+)*)```console\n((?:.*\n)*?)```$", document, re.MULTILINE):
        marks = []
        for name, value in re.findall(r"^<!-- (.+?)(?:: (.+))? -->$", found[1], re.MULTILINE):
            if name not in MARKS:
                raise ValueError(f"{name!r} is none of {MARKS}")
            marks.append((name, value))
        first = document.count("\n", 0, found.start(2)) + 1
        pieces = re.split(r"^\$ ((?:.*\\\n)*.*)\n", found[2], flags=re.MULTILINE)
        if pieces[0]:
            raise ValueError(f"line {first} is not a command")
        commands, line = [], first
        for text, expected in zip(pieces[1::2], pieces[2::2], strict=True):
            commands.append(Command(text, expected, line))
            line += text.count("\n") + 1 + expected.count("\n")
        yield Block(commands, marks)


def agrees(printed: str, expected: str) -> bool:
    """Whether this is what stands in the document."""

    def lines(text: str) -> str:
        return "".join(f"{' '.join(line.split())}\n" for line in text.strip().splitlines())

    # Of lines that may differ, as few as possible: after them comes what stands there next.
    pattern = re.sub("^…\n", "(?:.*\n)*?", re.escape(lines(expected)).replace("\\\n", "\n"), flags=re.MULTILINE)
    return bool(re.fullmatch(pattern.replace("…", ".*"), lines(printed)))


class Shell:
    """A shell in a folder, which stays as commands leave it: with its folder, and with the environment that is active."""

    def __init__(self, folder: Path, environment: dict[str, str], beginning: str = ""):
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self.run(beginning or ":")

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, and its status."""
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s %d\\n' '{END}' $?\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(END):
                return "".join(printed), int(line.split()[-1])
            printed.append(line)
        raise AssertionError(f"{command} has ended the shell: {''.join(printed)}")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def check(name: str, document: str, new_shell: Callable[[], Shell], replaced: dict[str, str]) -> int:
    """Run the blocks of a document. Returns how many commands it ran.

    `new_shell` gives a shell in a fresh clone; `replaced` has the words of the document that stand for something of the
    reader's, such as URL, with what they are here.

    Raises:
        AssertionError: a command prints something else than what stands there.
    """

    def here(text: str) -> str:
        for word, value in replaced.items():
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", value, text)
        return text

    shell, ran = new_shell(), 0
    for block in blocks(document):
        if block.marked("elsewhere"):
            shell.close()
            shell = new_shell()
        for command in block.marked("before"):
            printed, status = shell.run(here(command))
            assert status == 0, f"{name}: `{command}` ended with {status}:\n{printed}"
        deadline = time.monotonic() + (PATIENCE if block.marked("until it prints this") else 0)
        for text, expected, line in block.commands:
            while True:
                printed, status = shell.run(here(text))
                good = agrees(printed, here(expected)) and (status == 0 or "ERROR:" in expected)
                if good or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            told = f"{name}, line {line}: `{text}` ended with status {status} and printed"
            assert good, f"{told}\n\n{printed}\nand there stands\n\n{here(expected)}"
            ran += 1
    shell.close()
    return ran


def users_environment(home: Path, path: str) -> dict[str, str]:
    """What a user has who has just logged in, and git knows who they are."""
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = A Reader\n\temail = reader@example.com\n")
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"} | {
        name: value for name, value in os.environ.items() if name.startswith(("TMPDIR", "LD_", "DYLD_"))
    }
