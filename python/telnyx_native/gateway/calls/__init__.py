"""Calls: their legs, audio and DTMF keys, from the invite to the hangup."""
