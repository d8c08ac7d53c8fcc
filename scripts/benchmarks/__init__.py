"""The rows of `scripts/bench.py`, how they are measured, and the table that is printed."""
