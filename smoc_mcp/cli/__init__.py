"""Commands for people: what `smoc-mcp` does at a terminal."""
