"""One server over HTTP, for a team or for many companies: who may call, and how much."""
