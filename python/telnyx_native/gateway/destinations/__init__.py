"""What a call can reach besides people: small programs that serve one leg."""

from telnyx_native.gateway.destinations.built_in import built_in
from telnyx_native.gateway.destinations.destination import Destination, Factory, Outcome, Transfer

__all__ = ["Destination", "Factory", "Outcome", "Transfer", "built_in"]
