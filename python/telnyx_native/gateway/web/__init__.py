"""What the gateway serves over HTTP, on the port of its WebSocket."""
