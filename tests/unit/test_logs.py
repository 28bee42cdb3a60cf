from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.logs import (
    JsonLinesFormatter,
    Log,
    LogContextFilter,
    LogLevel,
    TxLogger,
    log_context,
    redact,
)

SECRET = "hunter2"


class Recorder:
    def __init__(self) -> None:
        self.records: list[tuple[LogLevel, str, str, BaseException | None]] = []

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        self.records.append((level, tag, message, exception))


@pytest.mark.parametrize(
    ("level", "admitted"),
    [
        (LogLevel.NONE, ""),
        (LogLevel.ERROR, "error"),
        (LogLevel.WARNING, "error warning"),
        (LogLevel.DEBUG, "error warning debug"),
        (LogLevel.INFO, "error warning debug info"),
        (LogLevel.VERTO, "> {}"),
        (LogLevel.ALL, "error warning debug info > {}"),
    ],
)
def test_each_level_lets_through_what_it_says(level: LogLevel, admitted: str) -> None:
    recorder = Recorder()
    log = Log("tag", level, recorder)
    log.error("error")
    log.warning("warning")
    log.debug("debug")
    log.info("info")
    log.frame(">", "{}")
    assert " ".join(message for _, _, message, _ in recorder.records) == admitted


def test_recorder_is_a_logger() -> None:
    assert isinstance(Recorder(), TxLogger)


def test_child_has_its_own_tag_and_the_exception_travels() -> None:
    recorder, error = Recorder(), ValueError()
    Log("a", LogLevel.ALL, recorder).child("b").error("x", error)
    assert recorder.records == [(LogLevel.ERROR, "b", "x", error)]


def test_records_say_what_they_are_about() -> None:
    seen: list[dict[str, str]] = []

    class Asking:
        def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
            seen.append(dict(log_context()))

    about: dict[str, str] = {}
    log = Log("client", LogLevel.ALL, Asking(), about)
    call_log = log.child("call", call_id="C")
    log.info("not yet")
    about["session_id"] = "S"
    log.info("logged in")
    call_log.info("rings")
    assert seen == [{}, {"session_id": "S"}, {"session_id": "S", "call_id": "C"}]
    assert log_context() == {}


def test_lines_of_json(caplog: pytest.LogCaptureFixture) -> None:
    log = Log("client", LogLevel.ALL, context={"session_id": "S"}).child("call", call_id="C")
    with caplog.at_level(logging.DEBUG, "telnyx_native"):
        log.error("it\nbroke: ä", ValueError("x"))
        Log("client", LogLevel.ALL).info("alone")
    first, second = (JsonLinesFormatter().format(record) for record in caplog.records)
    assert "\n" not in first
    line = json.loads(first)
    assert line.pop("exception").endswith("ValueError: x")
    assert datetime.fromisoformat(line.pop("time")).tzinfo is UTC
    assert line == {
        "level": "ERROR",
        "logger": "telnyx_native.call",
        "message": "it\nbroke: ä",
        "session_id": "S",
        "call_id": "C",
    }
    assert json.loads(second).keys() == {"time", "level", "logger", "message"}


def test_default_goes_into_the_standard_tree(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "telnyx_native"):
        Log("socket", LogLevel.ALL).warning("100%")
    assert caplog.record_tuples == [("telnyx_native.socket", logging.WARNING, "100%")]


def test_broken_logger_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def log(self, *_: object) -> None:
            raise RuntimeError("broken")

    Log("x", LogLevel.ALL, Broken()).info("hello")
    assert "failed" in caplog.text


def test_broken_handler_breaks_nothing() -> None:
    """One of the standard tree that raises, instead of calling `handleError`."""

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("broken")

    handler, logger = Broken(), logging.getLogger("telnyx_native")
    logger.addHandler(handler)
    try:
        Log("x", LogLevel.ALL).error("hello")
        Log("x", LogLevel.ALL).frame(">", "{}")
    finally:
        logger.removeHandler(handler)


def test_what_nobody_awaits_is_told_of_at_every_level() -> None:
    recorder = Recorder()
    Log("media", LogLevel.NONE, recorder).unretrieved("lost")
    assert recorder.records == [(LogLevel.WARNING, "media", "lost", None)]


@pytest.mark.parametrize(
    "frame",
    [
        '{"params":{"passwd":"hunter2"}}',
        '{"params":{"Password" : "hunter2"}}',
        '[{"login_token":"hunter2"}]',
        '{"iceServers":[{"credential":"hunter2"}]}',
        '{"userVariables":{"push_device_token":"hunter2"}}',
        '{"params":{"credentials":{"any":["hunter2"]}}}',
        '{"params":{"passwd":"hunter2',
        '{"params":{"passwd":"a\\"hunter2"',
        '{"metadata":"{\\"token\\":\\"hunter2\\"}"}',
        '{"sdp":"v=0\\r\\na=ice-pwd:hunter2\\r\\na=mid:0"}',
        b'{"passwd":"hunter2"}',
        b'\xff{"passwd":"hunter2"}',
    ],
)
def test_redact_masks_secrets(frame: str | bytes) -> None:
    assert SECRET not in redact(frame)


def test_redact_leaves_the_rest() -> None:
    frame = '{"id":1,"params":{"login":"alice","passwd":"x","sdp":"a=ice-pwd:y\\r\\na=mid:0"}}'
    assert json.loads(redact(frame)) == {
        "id": 1,
        "params": {"login": "alice", "passwd": "***", "sdp": "a=ice-pwd:***\r\na=mid:0"},
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | st.binary())
def test_redact_takes_anything(frame: str | bytes) -> None:
    assert isinstance(redact(frame), str)


@given(json_values, st.integers(0, 40))
def test_redact_hides_a_nested_and_cut_off_secret(value: object, cut: int) -> None:
    frame = json.dumps({"a": [{"b": value, "passwd": f"{SECRET}-and-more"}, value]})
    assert SECRET not in redact(frame)
    assert SECRET not in redact(frame[: len(frame) - cut])


def test_redact_survives_depth() -> None:
    assert redact("[" * 100_000)


def test_records_of_others_know_the_call_they_are_about() -> None:
    record = logging.LogRecord("bot", logging.INFO, __file__, 1, "hello", (), None)
    with Log("call", context={"call_id": "C1"}).child("x", session_id="S1").scope():
        assert LogContextFilter().filter(record)
    assert (record.call_id, record.session_id) == ("C1", "S1")
    assert json.loads(JsonLinesFormatter().format(record))["call_id"] == "C1"
    other = logging.LogRecord("bot", logging.INFO, __file__, 1, "hello", (), None)
    LogContextFilter().filter(other)
    assert (other.call_id, other.session_id) == ("", "")
    LogContextFilter().filter(record)
    assert record.call_id == "C1"
