"""What the pipeline is made of, one module a thing. It imports no stage and no DVC; only its messages name their commands."""
