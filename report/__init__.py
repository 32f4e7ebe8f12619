"""Pages: the one of `make report`, and the one that `dvc plots` fills. Each file is a command: `python -m report.<name>`."""

from sentiment.common.errors import start_command

# As for the stages: before a command imports anything else.
start_command()
