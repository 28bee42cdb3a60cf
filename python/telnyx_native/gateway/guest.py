"""Somebody without an account, who came to talk to one assistant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.gateway.dialog import Dialog

__all__ = ["ASSISTANT", "Guest"]

ASSISTANT = "assistant"
"""The destination of calls to assistants, and the id of the one that there is by default."""


@dataclass(frozen=True)
class Guest:
    """What an anonymous login asked for.

    Attributes:
        assistant: The id of the assistant.
        variables: What it shall know about the guest.
    """

    assistant: str
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Guest | None:
        """Read the parameters of an anonymous login; `None` if they name no assistant."""
        target, variables = params.get("target_id"), params.get("userVariables")
        if params.get("target_type", "ai_assistant") != "ai_assistant" or not isinstance(target, str):
            return None
        return cls(target, variables if isinstance(variables, dict) else {})

    def confine(self, dialog: Dialog) -> Dialog:
        """Lead a call to the assistant, wherever the guest wants it to go."""
        callee = replace(dialog.callee, number=f"{ASSISTANT}:{self.assistant}")
        return replace(dialog, callee=callee, variables=self.variables)
