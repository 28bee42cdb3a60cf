"""What our own client makes of a gateway that fails it on purpose."""

from __future__ import annotations

import pytest

from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.errors import AuthenticationError, GatewayRegistrationError
from telnyx_native.gateway import RegistrationFault


async def test_a_registration_that_fails_is_an_error_in_time(gateway):
    async with TelnyxClient() as client:
        gateway.faults.fail_registration("alice", RegistrationFault.FAIL_WAIT)
        with pytest.raises(GatewayRegistrationError):
            await log_in(client, gateway, "alice")
    async with TelnyxClient() as client:
        gateway.faults.fail_registration("alice", RegistrationFault.REFUSED)
        with pytest.raises(AuthenticationError):
            await log_in(client, gateway, "alice")


async def test_a_call_survives_duplicate_and_malformed_messages(gateway, alice):
    gateway.faults.duplicate("alice")
    call = await alice.new_invite("echo")
    await call.wait_active(10)
    await gateway.faults.send_malformed("alice")
    await call.hold()
    await call.unhold()
    await call.end()
    assert gateway.calls == []
