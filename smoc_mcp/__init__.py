"""Ask about a company's SMOC contacts from any AI agent; see README.md."""
