"""The Ray cluster of a fleet: one that is there, or one of this machine, whose nodes are processes.

    python -m telnyx_native.fleet.cluster NODES CPUS CALLS STATE_FILE

keeps a local cluster until it is told to end (SIGTERM): Ray's nodes end with their starter.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet import actors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_native.fleet.settings import ClusterSettings, FleetSettings

__all__ = ["connected", "start_local", "stop_local"]

LOOPBACK = "127.0.0.1"

START_TIME = 120.0
"""Seconds that a local cluster may take to come up: some 10 on two cores."""

STOP_TIME = 30.0

STORE = 80 << 20
"""Bytes of Ray's object store, the least there is: no audio ever goes through it."""

HEAD_LOST = 3600
"""Seconds that nodes go on when the head is gone, so that calls do."""

ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # so that Ray takes 127.0.0.1 at its word
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


def state_file(settings: ClusterSettings) -> Path:
    """Where a local cluster says how it is reached; only this user reads it."""
    folder = Path(tempfile.gettempdir()) / f"telnyx-fleet-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ConfigurationError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder / f"{settings.name}.json"


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[None]:
    """Be connected with the cluster inside.

    Raises:
        ConfigurationError: There is none at the address, or Ray is not installed.
    """
    ray = _ray(settings)
    address, options = settings.address, {}
    if settings.is_local:
        address, options = _local_address(settings), {"_node_ip_address": LOOPBACK}
    try:
        ray.init(address=address, namespace=settings.name, log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigurationError(f"there is no Ray cluster at {settings.address}: {error}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _ray(settings: ClusterSettings) -> Any:
    """The package, which reads the environment when it is loaded."""
    if settings.is_local:
        os.environ.update(ENVIRONMENT)
    return actors.ray()


def _local_address(settings: ClusterSettings) -> str:
    try:
        state = json.loads(state_file(settings).read_text())
        os.kill(state["pid"], 0)
    except (OSError, ValueError, KeyError):
        message = f"no fleet {settings.name} runs on this machine; start it with: telnyx-native fleet up FILE"
        raise ConfigurationError(message) from None
    return str(state["address"])


async def start_local(settings: FleetSettings) -> bool:
    """Start a cluster on this machine, unless it runs; return whether it was started.

    Raises:
        ConfigurationError: It did not come up; or Ray is not installed.
    """
    cluster, workers = settings.cluster, settings.workers
    _ray(cluster)
    with suppress(ConfigurationError):
        _local_address(cluster)
        return False
    file = state_file(cluster)
    file.unlink(missing_ok=True)
    per_node = -(-workers.count // cluster.nodes)
    calls = cluster.calls_per_node or 2 * per_node * workers.calls
    cpus = max(4, -(-2 * per_node * workers.cpus // 1) + 1)
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program, which is to outlive this one
            [sys.executable, "-m", __name__, str(cluster.nodes), str(int(cpus)), str(calls), str(file)],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | ENVIRONMENT,
        )
    deadline = time.monotonic() + START_TIME
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise ConfigurationError(f"the local Ray cluster did not come up; see {log}")
        await asyncio.sleep(0.1)
    return True


async def stop_local(settings: ClusterSettings) -> None:
    """End the cluster on this machine, if it runs; it returns when it has ended."""
    file = state_file(settings)
    try:
        pid = json.loads(file.read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError, KeyError):
        return
    deadline = time.monotonic() + STOP_TIME
    while file.exists() and time.monotonic() < deadline:  # noqa: ASYNC110 - another process removes it
        await asyncio.sleep(0.05)


def _keep(nodes: int, cpus: int, calls: int, file: Path) -> None:
    from ray.cluster_utils import Cluster

    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ended.append(number))
    node: dict[str, Any] = {
        "node_ip_address": LOOPBACK,
        "num_cpus": cpus,
        "resources": {actors.CALLS: calls},
        "object_store_memory": STORE,
        "include_dashboard": False,
    }
    system = {
        "gcs_rpc_server_reconnect_timeout_s": HEAD_LOST,
        "health_check_period_ms": 500,  # these three: a node that is gone is noticed within two seconds
        "health_check_timeout_ms": 1000,
        "health_check_failure_threshold": 3,
    }
    cluster = Cluster(initialize_head=True, head_node_args=node | {"_system_config": system})
    try:
        others = [cluster.add_node(**node) for _ in range(nodes - 1)]
        state = {
            "pid": os.getpid(),
            "address": cluster.address,
            "nodes": [{"node": node.node_id, **_pids(node)} for node in (cluster.head_node, *others)],
        }
        beside = file.with_suffix(".new")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(state))
        beside.replace(file)
        while not ended:
            signal.pause()
    finally:
        cluster.shutdown()
        file.unlink(missing_ok=True)


def _pids(node: Any) -> dict[str, int]:
    """The processes of a node, by what they are."""
    return {kind: processes[0].process.pid for kind, processes in node.all_processes.items() if processes}


if __name__ == "__main__":
    _keep(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
