"""Splits lists that people write with commas. Pure."""

__all__ = ["comma_list"]


def comma_list(text: str) -> tuple[str, ...]:
    """Return the entries of a comma-separated text, without blanks around them and empty ones."""
    return tuple(entry for part in text.split(",") if (entry := part.strip()))
