"""What the stages are made of, by rooms. Imports run one way, from the top of this list to its end:

    predict         the command
    inference       from a text to its probability
    plots           pictures, and the CSV files beside them
    evaluation      scores, and what the embedding learned
    training        the network, and all that needs TensorFlow
    preprocessing   from tokens to what the network takes
    corpus          where reviews come from, and how they become tokens
    common          what every stage runs

No room imports a stage or DVC; only messages name their commands.
"""
