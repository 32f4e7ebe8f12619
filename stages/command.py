"""What the stages' commands have in common: how they end when something is wrong."""

import sys
from collections.abc import Callable


class StageError(Exception):
    """A fault that its user can mend: the message says what is wrong, where, and what to do."""


def run(main: Callable[[], None]) -> None:
    """Run a stage; a fault ends it with exit status 1 and its message on standard error, without a traceback."""
    try:
        main()
    except StageError as error:
        sys.exit(f"ERROR: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
