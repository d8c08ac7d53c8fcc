"""For each measured TensorFlow function: arguments at which its derivative is looked at, and special points of it."""
