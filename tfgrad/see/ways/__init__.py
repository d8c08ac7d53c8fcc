"""The ways of values and gradients through a Record, and where they are cut."""
