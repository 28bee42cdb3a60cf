"""This project with audio of 16 kHz, its default and what speech models take."""

from peers import telnyx_native
from peers.telnyx_native import Peer

__all__ = ["Peer", "Stack"]


class Stack(telnyx_native.Stack):
    RATE = 16_000
