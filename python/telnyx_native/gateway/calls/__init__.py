"""Calls: their legs, audio and keys, from the invite to the hangup."""
