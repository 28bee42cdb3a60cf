"""What type checkers see of `telnyx_native.sync`."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sync_stub
import telnyx_native
from telnyx_native import sync

CACHE = Path(__file__).parents[3] / "build" / "mypy-of-a-program"
"""Without it this takes long, each time."""

PROGRAM = """
from telnyx_native.sync import AudioStream, Call, CallState, CredentialConfig, TelnyxClient, TxServerConfiguration

with TelnyxClient() as client:
    client.connect(TxServerConfiguration.parse("ws://127.0.0.1:8899"), CredentialConfig("alice", "demo"))
    call = client.new_invite("echo")
    reveal_type(call)
    reveal_type(call.call_state_flow.wait_for(CallState.ACTIVE, timeout=1))
    reveal_type(call.call_state_flow.wait_for(CallState.DONE))
    for frame in call.audio:
        reveal_type(frame)
    for inbound in client.incoming_calls:
        reveal_type(inbound.wait_done())
    client.new_invite(5)
"""


def test_it_is_up_to_date() -> None:
    assert sync_stub.STUB.read_text() == sync_stub.stub(), "run `make sync-stub`"


def test_it_has_what_the_classes_have() -> None:
    described = sync_stub.STUB.read_text()
    for name in sync.classes.__all__:
        for member in vars(getattr(sync, name)) if inspect.isclass(getattr(sync, name)) else ():
            assert member.startswith("_") or f"def {member}(self" in described


def test_all_names_of_the_package_are_there() -> None:
    assert set(telnyx_native.__all__) <= set(sync.__all__)
    assert all(getattr(sync, name) is not None for name in sync.__all__)
    assert set(sync.__all__) <= set(dir(sync))
    with pytest.raises(AttributeError):
        sync.nonsense  # noqa: B018 - looking it up is the point


def test_what_is_public_is_described() -> None:
    for name in sync.classes.__all__:
        value = getattr(sync, name)
        assert value.__doc__
        assert not re.search(r"\b(async|await)\b", value.__doc__)
        for method, member in vars(value).items() if inspect.isclass(value) else ():
            assert method.startswith("_") or member.__doc__, f"{name}.{method}"


def test_a_type_checker_knows_the_signatures(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy belongs to the extra [lint]")
    (tmp_path / "program.py").write_text(PROGRAM)
    root = Path(telnyx_native.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={CACHE}", "program.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    seen = [line.split(": ", 2)[-1] for line in done.stdout.splitlines() if line.startswith("program.py")]
    assert seen == [
        'Revealed type is "telnyx_native.sync.Call"',
        'Revealed type is "telnyx_native.states.CallState"',
        'Revealed type is "telnyx_native.states.Done"',
        'Revealed type is "bytes"',
        'Revealed type is "telnyx_native.states.CallTerminationReason"',
        'Argument 1 to "new_invite" of "TelnyxClient" has incompatible type "int"; expected "str"  [arg-type]',
    ]
