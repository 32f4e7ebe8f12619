"""How a command ends when something goes wrong: with a sentence, without a traceback."""

import os
import sys
from pathlib import Path
from types import TracebackType

# The process that started this one. Every command imports this module first: so it notices later if this parent has ended.
PARENT = os.getppid()


class UserError(Exception):
    """A problem that the user can solve. The message says what is wrong, where, and what to do."""


def start_command() -> None:
    """Have this process report its errors in sentences from now on.

    A command calls it as early as it can, before it imports what takes time or may be missing.
    """
    sys.excepthook = print_error
    if sys.stdout:
        # A line that can't be written is then an error at once, and not when Python exits.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def print_error(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an error that nothing caught. Python then exits with status 1.

    Nothing is printed after Ctrl-C, or when the reader of the output has gone, as in `… | head`.
    """
    if isinstance(error, KeyboardInterrupt):
        return
    if isinstance(error, UserError):
        sentence = str(error)
    elif isinstance(error, ModuleNotFoundError):
        advice = "activate the environment (`. .venv/bin/activate`), or run `make`, which sets it up"
        sentence = f"{sys.executable} has no package `{error.name}`: {advice}."
    elif isinstance(error, MemoryError) or kind.__name__ == "ResourceExhaustedError":  # TensorFlow's
        detail = f" ({error!s:.120})" if str(error) else ""
        sentence = f"There is not enough memory{detail}: end other programs, or make the model smaller in params.yaml."
    elif isinstance(error, OSError) and error.filename is None:
        # Errors of files and of the network are caught where they arise; printing is what is left.
        if sys.stdout:
            # Python tries again to write it when it exits: let that go nowhere, or it fails once more, with status 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return
        sentence = f"Standard output can't be written: {error.strerror}."
    else:
        sys.__excepthook__(kind, error, traceback)
        return
    # Text quoted from an input must not control the terminal.
    shown = "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in sentence)
    print(f"ERROR: {shown}", file=sys.stderr)
    # DVC gives this variable to the stages of an experiment. Experiments of a queue run in separate folders.
    if "DVC_EXP_BASELINE_REV" in os.environ and ".dvc/tmp/exps" not in Path.cwd().as_posix():
        advice = "To have the committed ones and their results back, run `git checkout params.yaml && dvc repro`."
        print(f"params.yaml now has the parameters of this experiment. {advice}", file=sys.stderr)
