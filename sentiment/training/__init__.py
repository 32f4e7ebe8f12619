"""The network, and everything that needs TensorFlow. Only the training depends on it."""
