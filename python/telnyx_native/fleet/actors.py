"""The actors of a fleet: their names, how they are made, and how others find them. Only here Ray is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from telnyx_native.fleet.settings import FleetSettings, Login

__all__ = ["CONTROL", "MEMORY", "actor", "create_control", "create_memory", "create_worker", "ray", "worker", "workers"]

CONTROL = "control"
MEMORY = "memory"
WORKER = "worker-"
"""What the names of workers begin with."""

CALLS = "calls"
"""The resource of Ray that workers take: without one, a node whose actors wait for calls would count as idle."""

AT_ONCE = 1000
"""Methods of an actor that run at the same time: all of them wait more than they work."""


def ray() -> Any:
    """The package; it is loaded when it is needed.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import ray as package
    except ImportError:
        raise ConfigurationError('a fleet needs Ray: pip install "telnyx-native[fleet]"') from None
    return package


def actor(name: str) -> Any:
    """The handle of an actor of this fleet, by its name.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        return ray().get_actor(name)
    except ValueError:
        raise ConfigurationError(f"the fleet has no {name}; see: telnyx-native fleet status") from None


def workers() -> dict[str, str]:
    """The names of the workers that are actors now, with the users of their logins."""
    found = ray().util.list_named_actors()
    names = sorted(name.removeprefix(WORKER) for name in found if name.startswith(WORKER))
    return dict(name.partition(" ")[::2] for name in names)


def create_memory() -> Any:
    """Make the actor that keeps snapshots."""
    from telnyx_native.fleet.memory import FleetMemory

    return _made(FleetMemory, MEMORY).remote()


def create_control(settings: FleetSettings) -> Any:
    """Make the actor that dispatches calls, and has the workers."""
    from telnyx_native.fleet.control import FleetControl

    return _made(FleetControl, CONTROL).remote(settings)


def create_worker(name: str, settings: FleetSettings, login: Login) -> Any:
    """Make a worker, on the node that has the most room."""
    from telnyx_native.fleet.worker_actor import FleetWorker

    wanted = settings.workers
    made = _made(
        FleetWorker,
        f"{WORKER}{name} {login.user}",
        num_cpus=wanted.cpus,
        resources={CALLS: wanted.calls},
        scheduling_strategy="SPREAD",
    )
    return made.remote(name, wanted, login)


def worker(name: str, user: str) -> Any:
    """The handle of a worker, by its name and the user of its login.

    Raises:
        ConfigurationError: There is none.
    """
    return actor(f"{WORKER}{name} {user}")


def _made(cls: type, name: str, **options: Any) -> Any:
    """An actor class: detached, restarted as often as it takes; what was asked of it is not repeated by Ray."""
    options = {"num_cpus": 0.01, **options}
    return (
        ray()
        .remote(cls)
        .options(
            name=name,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=AT_ONCE,
            **options,
        )
    )
