"""The stages of the pipeline, and how their commands end when something is wrong: with a sentence, without a traceback."""

import sys
from types import TracebackType


class StageError(Exception):
    """A fault that its user can mend: the message says what is wrong, where, and what to do."""


def end_with_a_sentence(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What Python prints of an error that nothing caught, before it ends with exit status 1.

    It is in place before the stages import anything else, which takes most of their seconds.
    """
    if isinstance(error, StageError):
        print(f"ERROR: {error}", file=sys.stderr)
    elif isinstance(error, ModuleNotFoundError):
        print(
            f"ERROR: {sys.executable} has no package `{error.name}`: activate the environment (`. .venv/bin/activate`), "
            "or run `make`, which sets it up.",
            file=sys.stderr,
        )
    elif isinstance(error, MemoryError) or kind.__name__ == "ResourceExhaustedError":  # TensorFlow's
        print(f"ERROR: There is not enough memory ({error!s:.120}): try smaller values in params.yaml.", file=sys.stderr)
    elif not isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = end_with_a_sentence
