"""One voice stack a module, each wrapped in the same two classes.

`Stack(role, codec)` is what the calls of one process share; `role` is "a" for the side that offers, "b" for the side
that answers. `start()`, if it has one, is awaited before the first call. `peer(on_pcm, on_candidate)` makes a `Peer`,
one end of one call, with

- `FRAME_MS`, `rate`, `channels`: what `push` takes, signed 16-bit interleaved; `wait_connected` may still change them.
- `PULL`: true if the stack asks for audio itself, by calling `next_frame()`, which is set before the negotiation.
- `create_offer()`, `create_answer(offer)`, `set_answer(answer)`: the negotiation, with any value that JSON can carry.
- `add_candidate(candidate)`: takes what the other end gave to `on_candidate`, if they trickle.
- `wait_connected()`: returns the `time.monotonic()` at which the path was up.
- `push(pcm)`: sends a frame. What is received goes to `on_pcm(pcm, rate, channels)`, on any thread.
- `stats()`: a dict of numbers for the curious, or None. `close()`.

Only the standard library is there besides the stack itself: each runs in a virtual environment of its own.
"""


class Candidates:
    """Takes the candidates of the other end; those that come before its description wait for that."""

    def __init__(self, use):
        self._use = use
        self._waiting = []

    async def add(self, candidate):
        if self._waiting is None:
            await self._use(candidate)
        else:
            self._waiting.append(candidate)

    async def described(self):
        waiting, self._waiting = self._waiting, None
        for candidate in waiting:
            await self._use(candidate)
