"""From a text to its probability, with a saved model."""
