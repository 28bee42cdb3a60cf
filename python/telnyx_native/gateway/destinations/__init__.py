"""What a call can reach besides people: small programs that serve one leg."""
