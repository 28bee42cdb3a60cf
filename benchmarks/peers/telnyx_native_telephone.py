"""This project as it serves the telephone network: 8 kHz, and G.711 whatever the others use."""

from peers import telnyx_native
from peers.telnyx_native import Peer

__all__ = ["Peer", "Stack"]


class Stack(telnyx_native.Stack):
    def __init__(self, role, codec):
        super().__init__(role, "pcmu")
