"""What every stage runs: how it ends, its files, its parameters, and the data that stages hand on."""
