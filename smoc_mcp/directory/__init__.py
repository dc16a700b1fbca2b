"""Decides what a question needs, fetches it, and answers with what is proven."""
