"""Talking to an AI assistant beside the audio: its transcript, messages to it, and tools it may use."""
