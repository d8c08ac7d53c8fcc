"""Every gradient that a piece of a program asks for, looked at: `diagnose()`."""
