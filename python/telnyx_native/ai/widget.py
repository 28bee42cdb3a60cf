"""How an assistant wants its widget to look."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WidgetSettings"]


@dataclass(frozen=True)
class WidgetSettings:
    """The looks and words of an assistant, as its owner has set them in the Telnyx portal.

    What is missing has the value of the Telnyx iOS SDK.

    Attributes:
        theme: `"dark"` or `"light"`.
        default_state: `"collapsed"` or `"expanded"`.
        position: `"fixed"` or `"static"`.
        start_call_text: What the button says that starts a call.
        agent_thinking_text: What is shown while the assistant thinks.
        speak_to_interrupt_text: What is shown while it speaks.
        logo_icon_url: The address of its logo.
        view_history_url: Where earlier conversations are.
        report_issue_url: Where to report an issue.
        give_feedback_url: Where to give feedback.
        audio_visualizer_config: Colour and preset of the audio visualizer.
        raw: All settings as they came.
    """

    theme: str = "dark"
    default_state: str = "collapsed"
    position: str = "fixed"
    start_call_text: str = ""
    agent_thinking_text: str = ""
    speak_to_interrupt_text: str = ""
    logo_icon_url: str = ""
    view_history_url: str = ""
    report_issue_url: str = ""
    give_feedback_url: str = ""
    audio_visualizer_config: Mapping[str, Any] = field(
        default_factory=lambda: {"color": "verdant", "preset": "roundBars"}, hash=False
    )
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> WidgetSettings:
        """Read the settings; what has the wrong type is left at its default."""
        known: dict[str, Any] = {}
        for setting in fields(cls):
            value = settings.get(setting.name)
            kind = dict if setting.name == "audio_visualizer_config" else str
            if setting.name != "raw" and isinstance(value, kind):
                known[setting.name] = value
        return cls(**known, raw=dict(settings))
