"""Numbers: the scores of predictions, what the embedding learned and what the network remembers. Nothing is drawn here."""
