"""The other way to an MCP server: one tool that FastMCP generates from an OpenAPI document.

It runs where fastmcp is installed, which need not be where smoc-mcp is, and imports nothing of it:

    SMOC_BASE_URL=… SMOC_API_KEY=… PYTHON -m benchmarks.bridge
"""

import os
from typing import Any

import httpx2
from fastmcp import FastMCP

__all__: list[str] = []

_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "SMOC", "version": "1"},
    "paths": {
        "/api/company/mongocontact": {
            "get": {
                "operationId": "get_contacts",
                "summary": "The company's contacts.",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "description": "How many at most.",
                        "schema": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 500,
                            "default": 100,
                        },
                    },
                    {
                        "name": "sortByField",
                        "in": "query",
                        "description": "Newest first by this.",
                        "schema": {
                            "type": "string",
                            "enum": ["createdAt", "updatedAt", "lastConversationDate"],
                        },
                    },
                ],
                "responses": {
                    "200": {
                        "description": "The contacts, and the company's counts.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "data": {"type": "array", "items": {"type": "object"}},
                                        "leadsCount": {"type": "integer"},
                                        "customerCount": {"type": "integer"},
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    },
}


def main() -> None:
    """Serve over stdio."""
    api = httpx2.AsyncClient(
        base_url=os.environ["SMOC_BASE_URL"], headers={"token": os.environ["SMOC_API_KEY"]}
    )
    FastMCP.from_openapi(_DOCUMENT, api, name="bridge").run("stdio", show_banner=False)


if __name__ == "__main__":
    main()
