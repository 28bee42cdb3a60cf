"""For tests of voice bots: a gateway, and telephones that call, hear and speak, as pytest fixtures.

Enable it in `conftest.py`, with `telnyx-native[testing]` installed:

```python
pytest_plugins = ["telnyx_native.testing"]
```

```python
async def test_the_bot_greets(bot, caller):      # `bot` is a fixture of yours that runs your bot
    await caller.call("bot")
    await caller.hears("greeting.wav")
    await caller.press("1")
    await caller.hears_tone(880)
    await caller.hang_up()
```

docs/testing.md explains it.
"""

from telnyx_native.testing.fixtures import (
    PASSWORD,
    USERS,
    background,
    callee,
    caller,
    client,
    gateway,
    gateway_config,
    open_phone,
)
from telnyx_native.testing.phone import Phone, Sound

__all__ = [
    "PASSWORD",
    "USERS",
    "Phone",
    "Sound",
    "background",
    "callee",
    "caller",
    "client",
    "gateway",
    "gateway_config",
    "open_phone",
]
