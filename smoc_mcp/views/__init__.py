"""Answers as they leave: cleaned, masked and cut, as text and as structure."""
