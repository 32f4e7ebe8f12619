"""The study: variants of the defaults, each trained from several seeds. Its files are commands: `python -m studies.<name>`."""

from sentiment.common.errors import start_command

# As for the stages: before a command of the study imports anything else.
start_command()
