"""The same SDK for programs without an event loop: what is awaited in `telnyx_native` is waited for here.

```python
from telnyx_native.sync import CredentialConfig, TelnyxClient

with TelnyxClient() as client:
    client.connect(credential_config=CredentialConfig("user", "password"))
    call = client.new_invite("+15551234567")
    call.wait_active()
    for frame in call.audio:
        ...
```

All names of `telnyx_native` are here. Its event loop runs on a thread of its own; every object may be used by several
threads.
"""

from __future__ import annotations

import telnyx_native
from telnyx_native.sync import classes

__all__ = sorted({*telnyx_native.__all__, *classes.__all__})


def __getattr__(name: str) -> object:
    """Return the synchronous class or function of that name, or what `telnyx_native` has (PEP 562)."""
    value = getattr(classes if name in classes.__all__ else telnyx_native, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
