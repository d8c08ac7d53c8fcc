"""Why the numbers of a gradient are zero, NaN or infinite."""
