"""What the stages are made of, in packages and modules. Each imports from those that its line names, which stand below it:

    predict         the command                                             → inference corpus common
    inference       from a text to its probability                          → corpus preprocessing common
    plots           pictures, and the CSV files beside them                 → evaluation common
    evaluation      scores, and what the embedding learned                  → common
    training        the network, and all that needs TensorFlow              → common
    preprocessing   from tokens to what the network takes                   → common
    corpus          where reviews come from, and how they become tokens     → common
    common          what every stage runs                                   → nothing

None imports a stage or DVC; only messages name their commands.
"""
