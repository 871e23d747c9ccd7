"""The HTTP server: uvicorn within limits of connections, time and memory."""
