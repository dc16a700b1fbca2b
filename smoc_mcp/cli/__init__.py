"""The commands of `smoc-mcp`: a module each, its options beside what it does."""
