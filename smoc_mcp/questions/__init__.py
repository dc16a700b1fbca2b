"""What may be asked, and what it means. Pure."""
