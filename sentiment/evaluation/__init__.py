"""Numbers: the scores of predictions, and what the embedding learned. Nothing is drawn here, so no colour trains anew."""
