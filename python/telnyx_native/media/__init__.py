"""The media of calls: the native engine, its peers, and the audio that goes through them."""
