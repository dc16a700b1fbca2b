"""The tests; `serving` and `simulation` are what they share."""
