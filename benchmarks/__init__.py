"""What smoc-mcp costs, beside something: one module a table, `python -m benchmarks.NAME`."""
