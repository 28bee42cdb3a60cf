"""Whether the server lets one in, and whether a call goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.client import TelnyxClient
from telnyx_native.client.precall import run_pre_call
from telnyx_native.config import CredentialConfig, Timeouts, TokenConfig
from telnyx_native.doctor.finding import Cause, Finding, Status
from telnyx_native.errors import (
    AuthenticationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.verdict import Verdict

if TYPE_CHECKING:
    from telnyx_native.client.precall import PreCallReport
    from telnyx_native.config import TxServerConfiguration

__all__ = ["check_login"]


async def check_login(
    server: TxServerConfiguration, config: CredentialConfig | TokenConfig | None, destination: str | None
) -> list[Finding]:
    """Connect, log in if there is a login, and place a test call if there is somebody to call."""
    async with TelnyxClient(timeouts=Timeouts(gateway_poll=1.0)) as client:
        finding = await _log_in(client, server, config)
        if finding.status is not Status.OK or config is None or destination is None:
            return [finding]
        return [finding, await _call(client, destination)]


async def _log_in(
    client: TelnyxClient, server: TxServerConfiguration, config: CredentialConfig | TokenConfig | None
) -> Finding:
    login = {"token_config": config} if isinstance(config, TokenConfig) else {"credential_config": config}
    try:
        await client.connect(server, **login)
    except AuthenticationError as error:
        advice = "check user name and password of the SIP connection in the Telnyx portal; a token is good for a day"
        return Finding("login", Status.FAILED, str(error), Cause.WRONG_PASSWORD, advice)
    except GatewayRegistrationError as error:
        advice = "the login is right, but the SIP registration does not come up: see the SIP connection in the portal"
        return Finding("login", Status.FAILED, str(error), Cause.NOT_REGISTERED, advice)
    except (RequestTimeoutError, SocketConnectionError) as error:
        advice = "something in between lets no WebSocket through, or the server is none of Telnyx's: check the address"
        return Finding("login", Status.FAILED, str(error), Cause.NO_TELNYX_SERVER, advice)
    except TelnyxError as error:
        return Finding("login", Status.FAILED, str(error), Cause.NO_TELNYX_SERVER, "check the address of the server")
    if config is None:
        return Finding("login", Status.SKIPPED, "the WebSocket works; give a user to see whether the login does")
    who = f" as {config.sip_user}" if isinstance(config, CredentialConfig) else ""
    took = client.login_timings.since_begun("registered")
    return Finding("login", Status.OK, f"logged in{who}" + (f" in {1000 * took:.0f} ms" if took else ""))


async def _call(client: TelnyxClient, destination: str) -> Finding:
    try:
        report = await run_pre_call(client, destination)
    except TelnyxError as error:
        advice = "see what the other findings say about the network, and try again"
        return Finding("call", Status.FAILED, str(error), Cause.CALL_FAILED, advice)
    measured = (
        f"MOS {report.mos.average:.1f}, {1000 * report.rtt.average:.0f} ms there and back, "
        f"jitter {1000 * report.jitter.average:.0f} ms, loss {report.loss:.1%}, path {report.path}"
    )
    advice = "; ".join(report.reasons.values())
    match report.verdict:
        case Verdict.READY:
            return Finding("call", Status.OK, measured)
        case Verdict.DEGRADED:
            return Finding("call", Status.WARNING, measured, Cause.POOR_NETWORK, advice)
        case Verdict.BLOCKED:
            cause = Cause.NO_AUDIO_PATH if _had_no_audio(report) else Cause.POOR_NETWORK
            detail = "no audio came through" if _had_no_audio(report) else measured
            return Finding("call", Status.FAILED, detail, cause, advice)
        case Verdict.INCONCLUSIVE:
            return Finding("call", Status.FAILED, f"{destination} did not take the call", Cause.CALL_FAILED, advice)


def _had_no_audio(report: PreCallReport) -> bool:
    return bool({"ice_failed", "network_no_audio"} & report.reasons.keys())
