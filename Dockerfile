# smoc-mcp over HTTP. Secrets come from the environment, never from the image:
#   docker build -t smoc-mcp .
#   docker run --read-only --env-file smoc.env -p 127.0.0.1:8000:8000 smoc-mcp
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY smoc_mcp ./smoc_mcp
RUN python -m venv /opt/smoc-mcp \
    && /opt/smoc-mcp/bin/pip install --no-cache-dir '.[postgres]' \
    && /opt/smoc-mcp/bin/python -m compileall -q /opt/smoc-mcp/lib

FROM python:3.13-slim
RUN useradd --system --no-create-home --uid 10001 smoc
COPY --from=build /opt/smoc-mcp /opt/smoc-mcp
USER smoc
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["/opt/smoc-mcp/bin/python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Published on the host's loopback, behind a proxy: name its host in SMOC_MCP_ALLOWED_HOSTS.
ENTRYPOINT ["/opt/smoc-mcp/bin/smoc-mcp", "http", "--host", "0.0.0.0", "--port", "8000"]
