"""The actors of a fleet: their names, how they are made, and how others find them. Only here Ray is known."""

from __future__ import annotations

from typing import Any

from telnyx_native.errors import ConfigurationError

__all__ = ["CALLS", "CONTROL", "MEMORY", "actor", "create", "create_worker", "here", "ray", "worker", "workers"]

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


def worker(name: str, user: str) -> Any:
    """The handle of a worker, by its name and the user of its login.

    Raises:
        ConfigurationError: There is none.
    """
    return actor(f"{WORKER}{name} {user}")


def create(cls: type, name: str, *args: object, **options: Any) -> Any:
    """Make an actor, unless there is one of that name: detached, and restarted as often as it takes.

    Args:
        cls: Its class.
        name: Its name.
        args: What the class is made with, also when it is restarted.
        options: What it needs of its node, as Ray calls it.
    """
    made = (
        ray()
        .remote(cls)
        .options(
            name=name,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=AT_ONCE,
            **{"num_cpus": 0.01, **options},
        )
    )
    return made.remote(*args)


def here() -> Any:
    """A strategy for `create`: on the node of this program, also after a restart, as long as that node is there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray().get_runtime_context().get_node_id(), soft=True)


def create_worker(cls: type, name: str, user: str, calls: int, cpus: float, *args: object) -> Any:
    """Make the actor of a worker, on the node that has the most room.

    Args:
        cls: Its class.
        name: The worker's name.
        user: The user of its login.
        calls: Calls that it takes at a time.
        cpus: Processors that it is given.
        args: What the class is made with.
    """
    needs = {"num_cpus": cpus, "resources": {CALLS: calls}, "scheduling_strategy": "SPREAD"}
    return create(cls, f"{WORKER}{name} {user}", *args, **needs)
