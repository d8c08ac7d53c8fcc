"""What a Tape hears while a program runs, what it writes down, and the Record made of it."""
