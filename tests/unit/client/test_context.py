"""What a client tells its application, and what its parts share."""

from __future__ import annotations

from typing import Any

import pytest

from telnyx_native.client.context import Context, Publisher
from telnyx_native.config import CredentialConfig, Limits
from telnyx_native.errors import ErrorCode, FlowClosedError, SocketConnectionError, TelnyxWarning, WarningCode
from telnyx_native.events import SocketStatus
from telnyx_native.logs import LogLevel, log_context


class Recorder:
    def __init__(self) -> None:
        self.records: list[tuple[LogLevel, str, BaseException | None, dict[str, str]]] = []

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        self.records.append((level, message, exception, dict(log_context())))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def publisher(recorder: Recorder) -> Publisher:
    made = Publisher()
    made.log_as(CredentialConfig("a", "b", log_level=LogLevel.ALL, custom_logger=recorder))
    return made


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (SocketConnectionError("lost", code=-32004), -32004, ErrorCode.WEBSOCKET_ERROR),
        (RuntimeError("a bug"), None, None),
    ],
)
async def test_errors_are_published_and_logged_and_bugs_with_their_place(
    publisher: Publisher, recorder: Recorder, error: Exception, code: Any, kind: Any
) -> None:
    responses = publisher.responses.collect()
    publisher.report(error)
    response = await anext(responses)
    assert (response.status, response.error_message) == (SocketStatus.ERROR, str(error))
    assert (response.error_code, response.error_kind) == (code, kind)
    ((level, message, exception, _),) = recorder.records
    assert (level, message, exception) == (LogLevel.ERROR, str(error), error if code is None else None)


async def test_warnings_are_published_and_logged(publisher: Publisher, recorder: Recorder) -> None:
    warnings = publisher.warnings.collect()
    publisher.warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, "soon"))
    assert (await anext(warnings)).name == "TOKEN_EXPIRING_SOON"
    assert recorder.records[0][0] is LogLevel.WARNING


def test_records_name_the_session_as_long_as_it_lasts(publisher: Publisher, recorder: Recorder) -> None:
    for session_id in ("S1", None):
        publisher.name_session(session_id)
        publisher.log.info("x")
    assert [context for *_, context in recorder.records] == [{"session_id": "S1"}, {}]


async def test_flows_end(publisher: Publisher) -> None:
    publisher.close()
    with pytest.raises(FlowClosedError):
        await publisher.responses.first()


def test_every_client_has_a_publisher_of_its_own() -> None:
    assert Context().publisher is not Context().publisher
    assert Context().limits == Limits()
