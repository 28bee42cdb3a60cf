"""The examination as a whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from telnyx_native.doctor.finding import Finding, Status
from telnyx_native.doctor.installation import check_installation
from telnyx_native.doctor.symptoms import Symptom, explain
from telnyx_native.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration

__all__ = ["Diagnosis", "examine"]


@dataclass(frozen=True)
class Diagnosis:
    """What came out.

    Attributes:
        findings: What each check found, in the order of the checks.
        symptoms: What a user may see, and what to do then.
    """

    findings: tuple[Finding, ...]
    symptoms: tuple[Symptom, ...]

    @property
    def verdict(self) -> Verdict:
        """READY, DEGRADED if there is a warning with a cause, BLOCKED if something failed."""
        if _has_failed(list(self.findings)):
            return Verdict.BLOCKED
        if any(finding.status is Status.WARNING and finding.cause for finding in self.findings):
            return Verdict.DEGRADED
        return Verdict.READY

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"verdict": self.verdict.value, **asdict(self)}


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
    if not _has_failed(findings):
        await _look_around(server, config, destination, needs_sound=needs_sound, note=note)
    return Diagnosis(tuple(findings), tuple(explain(findings)))


async def _look_around(
    server: TxServerConfiguration,
    config: CredentialConfig | TokenConfig | None,
    destination: str | None,
    *,
    needs_sound: bool,
    note: Callable[[list[Finding]], None],
) -> None:
    # Not before the installation is known to be whole: all of these need the native part.
    from telnyx_native.doctor.audio_path import check_audio_path
    from telnyx_native.doctor.login import check_login
    from telnyx_native.doctor.server import check_server
    from telnyx_native.doctor.sound import check_sound

    note(await check_sound(needed=needs_sound))
    note(reached := await check_server(server))
    if not _has_failed(reached):
        note(await check_audio_path(server))
        note(await check_login(server, config, destination))


def _has_failed(findings: list[Finding]) -> bool:
    return any(finding.status is Status.FAILED for finding in findings)
