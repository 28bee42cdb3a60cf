"""A Telnyx-compatible server on this machine, to write, try and test against without an account.

```python
async with Gateway(users=[User("alice", "secret", number="+15550100")]) as gateway:
    ...                                                        # a client logs in at gateway.url
    call = await gateway.place_call("alice", from_="+15550199")
    await call.wait_answered()
    await call.audio.write(pcm)
    await call.hang_up()
```
"""

from typing import TYPE_CHECKING

from telnyx_native.gateway.accounts.push import PushNotification
from telnyx_native.gateway.accounts.users import User
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, Leg, LegState
from telnyx_native.gateway.calls.reports import CallReport, CallReports
from telnyx_native.gateway.certificate import Certificate
from telnyx_native.gateway.configuration import GatewayConfig
from telnyx_native.gateway.destinations import Destination, Factory, Outcome, Transfer
from telnyx_native.gateway.destinations.assistant import AssistantCall, Brain, UserMessage, scripted_brain
from telnyx_native.gateway.destinations.ivr import Menu
from telnyx_native.gateway.destinations.router import DialPlan
from telnyx_native.gateway.faults import RegistrationFault
from telnyx_native.gateway.faults.faults import Faults
from telnyx_native.gateway.limits import Counters, GatewayLimits
from telnyx_native.gateway.monitor import GatewayEvent, Monitor
from telnyx_native.gateway.server import Gateway
from telnyx_native.gateway.voice_api.applications import Application, VoiceApi

if TYPE_CHECKING:
    from telnyx_native.media.simulated_network import NetworkConditions

__all__ = [
    "Application",
    "AssistantCall",
    "Brain",
    "CallReport",
    "CallReports",
    "CalleeLeg",
    "CallerLeg",
    "Certificate",
    "Counters",
    "Destination",
    "DialPlan",
    "Factory",
    "Faults",
    "Gateway",
    "GatewayConfig",
    "GatewayEvent",
    "GatewayLimits",
    "Leg",
    "LegState",
    "Menu",
    "Monitor",
    "NetworkConditions",
    "Outcome",
    "PushNotification",
    "RegistrationFault",
    "Transfer",
    "User",
    "UserMessage",
    "VoiceApi",
    "scripted_brain",
]


def __getattr__(name: str) -> object:
    """Load the one name that comes with libwebrtc when it is first used (PEP 562)."""
    if name != "NetworkConditions":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from telnyx_native.media.simulated_network import NetworkConditions

    return NetworkConditions
