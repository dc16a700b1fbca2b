"""Asks SMOC: one GET, what it sends, and what we derive of a contact."""
