"""The study. Its commands end as those of the stages do."""

import stages  # noqa: F401
