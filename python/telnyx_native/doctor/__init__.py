"""What keeps calls from working on this machine, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.doctor.diagnosis import Cause, Diagnosis, Finding, Status, Symptom, explain, has_failed
from telnyx_native.doctor.machine import check_installation, check_sound

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration

__all__ = ["Cause", "Diagnosis", "Finding", "Status", "Symptom", "examine"]


async def examine(
    server: TxServerConfiguration,
    config: CredentialConfig | TokenConfig | None = None,
    *,
    destination: str | None = None,
    needs_sound: bool = False,
    on_finding: Callable[[Finding], None] = lambda _: None,
) -> Diagnosis:
    """Look at all that a call needs. It takes some seconds, a minute at most, and never raises for what it finds.

    Args:
        server: The server to reach.
        config: Who logs in; nobody by default.
        destination: Whom to call for a test: somebody who answers at once, such as the gateway's `echo`.
        needs_sound: Whether a microphone and a loudspeaker have to be there.
        on_finding: Called with each finding as it comes.
    """
    findings: list[Finding] = []

    def note(found: list[Finding]) -> None:
        findings.extend(found)
        for finding in found:
            on_finding(finding)

    note(await check_installation())
    if not has_failed(findings):
        # Not before the installation is known to be whole: these need the native part.
        from telnyx_native.doctor.audio_path import check_audio_path
        from telnyx_native.doctor.server import check_login, check_server

        note(await check_sound(needed=needs_sound))
        note(reached := await check_server(server))
        if not has_failed(reached):
            note(await check_audio_path(server))
            note(await check_login(server, config, destination))
    return Diagnosis(tuple(findings), tuple(explain(findings)))
