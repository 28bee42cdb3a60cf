"""Calls in the systems of others: what bots are written in, and what watches them; each behind an extra of its own."""
