"""What the state machines of calls and connections are made of: edges, of which a table has some by state and event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Changes", "Edge", "taken"]

StateT = TypeVar("StateT")
MachineT = TypeVar("MachineT")
EventT = TypeVar("EventT")
ActionT = TypeVar("ActionT")

Changes = dict[str, Any]
"""Attributes of a machine with their new values."""


@dataclass(frozen=True)
class Edge(Generic[StateT, MachineT, EventT, ActionT]):
    """What an event does in a state.

    Attributes:
        target: The next state.
        actions: What is to be done.
        when: The condition; `None` if there is none.
        changes: What changes besides the state.
    """

    target: StateT
    actions: tuple[type[ActionT], ...] = ()
    when: Callable[[MachineT, EventT], bool] | None = None
    changes: Callable[[MachineT, EventT], Changes] | None = None

    def but(
        self,
        *,
        actions: tuple[type[ActionT], ...] | None = None,
        when: Callable[[MachineT, EventT], bool] | None = None,
        changes: Callable[[MachineT, EventT], Changes] | None = None,
    ) -> Self:
        """The same edge with another condition, other actions or other changes."""
        actions = self.actions if actions is None else actions
        return type(self)(self.target, actions, when or self.when, changes or self.changes)


def taken(
    edges: Iterable[Edge[StateT, MachineT, EventT, ActionT]], machine: MachineT, event: EventT
) -> Edge[StateT, MachineT, EventT, ActionT] | None:
    """The first edge whose condition holds; `None` if there is none."""
    return next((edge for edge in edges if edge.when is None or edge.when(machine, event)), None)
