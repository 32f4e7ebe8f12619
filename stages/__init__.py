"""The five stages, one command each: `python -m stages.<name>`. No module imports them."""

import gc

from sentiment.common.errors import start_command

# Python runs this file before it imports a stage, so that Ctrl-C while TensorFlow loads, and a missing package, end in a
# sentence too.
start_command()
# A stage is over before there is garbage worth looking for. Once train has TensorFlow, it looks again: it may run for hours.
gc.disable()
