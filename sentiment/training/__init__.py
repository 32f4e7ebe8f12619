"""The network, and all that needs TensorFlow: what is here, training depends on, and nothing else."""
