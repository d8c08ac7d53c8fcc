"""Somebody's unchanged script, run while every gradient that it asks for is looked at."""
