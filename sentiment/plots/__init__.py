"""Pictures, and the CSV files beside them."""

import os

# Pictures go to files. A notebook's kernel names a backend here that matplotlib can't be imported with outside of it.
os.environ["MPLBACKEND"] = "agg"
