"""Asks SMOC's API, reads what it sends, and derives what we say of a contact."""
