"""What the pipeline is made of, one module a thing. It knows no stage and no DVC; nothing in it depends on who calls it."""
