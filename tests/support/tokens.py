"""Login tokens that nobody signed: what they say is all that a client looks at."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import Any


def unsigned_token(**claims: Any) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".c2ln"


def token_for(seconds: float) -> str:
    """A token that expires in so many seconds."""
    return unsigned_token(sub="alice", exp=time.time() + seconds)
