"""The wire: JSON-RPC frames over a WebSocket, login and registration."""
