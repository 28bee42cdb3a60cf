"""Destinations: small programs that serve one leg, and the router that finds them."""
