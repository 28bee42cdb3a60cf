"""Calls in the frameworks that bots are written in, each behind the extra of its name."""
