"""The MCP surface: tools, resources, prompts and completions, as clients see them."""
