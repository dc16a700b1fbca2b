"""Every contact that was seen, and what was seen of it when, in SQLite."""
