"""Faults on purpose: of users, calls and the gateway, by name, and in scenarios."""
