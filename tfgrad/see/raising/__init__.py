"""Why gradient() raised."""
