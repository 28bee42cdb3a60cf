"""Telnyx WebRTC voice for Python: calls whose audio never waits for the interpreter.

Start with `TelnyxClient`. Names are loaded when they are first used, so that importing the package is quick
and starts nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from telnyx_native.version import __version__

if TYPE_CHECKING:
    from telnyx_native.assistant import AiAssistant as AiAssistant
    from telnyx_native.assistant import TranscriptItem as TranscriptItem
    from telnyx_native.assistant import WidgetSettings as WidgetSettings
    from telnyx_native.call import Call as Call
    from telnyx_native.call.conference import Conference as Conference
    from telnyx_native.call.consultation import Consultation as Consultation
    from telnyx_native.call.lifecycle import CallTimings as CallTimings
    from telnyx_native.call_control import CallControl as CallControl
    from telnyx_native.client import TelnyxClient as TelnyxClient
    from telnyx_native.client.precall import *  # noqa: F403 - all of it is public
    from telnyx_native.config import AnonymousConfig as AnonymousConfig
    from telnyx_native.config import AnswerDetectionConfig as AnswerDetectionConfig
    from telnyx_native.config import AudioCodec as AudioCodec
    from telnyx_native.config import AudioConfig as AudioConfig
    from telnyx_native.config import AudioEncoding as AudioEncoding
    from telnyx_native.config import AudioProcessing as AudioProcessing
    from telnyx_native.config import ConsentBeep as ConsentBeep
    from telnyx_native.config import CredentialConfig as CredentialConfig
    from telnyx_native.config import IceServer as IceServer
    from telnyx_native.config import Limits as Limits
    from telnyx_native.config import NoiseSuppression as NoiseSuppression
    from telnyx_native.config import OpusConfig as OpusConfig
    from telnyx_native.config import PausedAudio as PausedAudio
    from telnyx_native.config import RecordedPart as RecordedPart
    from telnyx_native.config import RecordingConfig as RecordingConfig
    from telnyx_native.config import Region as Region
    from telnyx_native.config import RingSink as RingSink
    from telnyx_native.config import TelnyxConfig as TelnyxConfig
    from telnyx_native.config import Timeouts as Timeouts
    from telnyx_native.config import TokenConfig as TokenConfig
    from telnyx_native.config import TxServerConfiguration as TxServerConfiguration
    from telnyx_native.config import VoiceActivityConfig as VoiceActivityConfig
    from telnyx_native.devices.handset import *  # noqa: F403 - all of it is public
    from telnyx_native.devices.sound_system import MicrophoneReport as MicrophoneReport
    from telnyx_native.devices.sound_system import SoundDevice as SoundDevice
    from telnyx_native.devices.sound_system import run_microphone_check as run_microphone_check
    from telnyx_native.devices.sound_system import sound_devices as sound_devices
    from telnyx_native.errors import AudioClosedError as AudioClosedError
    from telnyx_native.errors import AuthenticationError as AuthenticationError
    from telnyx_native.errors import CallError as CallError
    from telnyx_native.errors import CallLimitError as CallLimitError
    from telnyx_native.errors import ChannelLimitError as ChannelLimitError
    from telnyx_native.errors import ConfigurationError as ConfigurationError
    from telnyx_native.errors import ConsultationError as ConsultationError
    from telnyx_native.errors import DeviceError as DeviceError
    from telnyx_native.errors import DrainingError as DrainingError
    from telnyx_native.errors import EngineClosedError as EngineClosedError
    from telnyx_native.errors import ErrorCode as ErrorCode
    from telnyx_native.errors import FlowClosedError as FlowClosedError
    from telnyx_native.errors import GatewayRegistrationError as GatewayRegistrationError
    from telnyx_native.errors import InviteTimeoutError as InviteTimeoutError
    from telnyx_native.errors import MalformedFrameError as MalformedFrameError
    from telnyx_native.errors import MediaError as MediaError
    from telnyx_native.errors import NetworkChangedError as NetworkChangedError
    from telnyx_native.errors import ReportError as ReportError
    from telnyx_native.errors import RequestError as RequestError
    from telnyx_native.errors import RequestTimeoutError as RequestTimeoutError
    from telnyx_native.errors import RestError as RestError
    from telnyx_native.errors import SdpError as SdpError
    from telnyx_native.errors import ServerUnavailableError as ServerUnavailableError
    from telnyx_native.errors import SocketConnectionError as SocketConnectionError
    from telnyx_native.errors import TelnyxError as TelnyxError
    from telnyx_native.errors import TelnyxWarning as TelnyxWarning
    from telnyx_native.errors import WaitTimeoutError as WaitTimeoutError
    from telnyx_native.errors import WarningCode as WarningCode
    from telnyx_native.events import *  # noqa: F403 - all of it is public
    from telnyx_native.flow import *  # noqa: F403 - all of it is public
    from telnyx_native.logs import JsonLinesFormatter as JsonLinesFormatter
    from telnyx_native.logs import LogContextFilter as LogContextFilter
    from telnyx_native.logs import LogLevel as LogLevel
    from telnyx_native.logs import TxLogger as TxLogger
    from telnyx_native.logs import log_context as log_context
    from telnyx_native.media.answer_detection import AnswerDetection as AnswerDetection
    from telnyx_native.media.answer_detection import AnswerDetector as AnswerDetector
    from telnyx_native.media.answer_detection import AnswerReason as AnswerReason
    from telnyx_native.media.answer_detection import AnswerVerdict as AnswerVerdict
    from telnyx_native.media.answer_detection import Beep as Beep
    from telnyx_native.media.answer_detection import GreetingEnd as GreetingEnd
    from telnyx_native.media.audio_processor import AudioProcessor as AudioProcessor
    from telnyx_native.media.call_progress import CallProgress as CallProgress
    from telnyx_native.media.call_progress import CallProgressDetector as CallProgressDetector
    from telnyx_native.media.detectors import DtmfDetector as DtmfDetector
    from telnyx_native.media.detectors import DtmfReceived as DtmfReceived
    from telnyx_native.media.detectors import DtmfSource as DtmfSource
    from telnyx_native.media.detectors import VoiceActivity as VoiceActivity
    from telnyx_native.media.detectors import VoiceActivityDetector as VoiceActivityDetector
    from telnyx_native.media.end_of_turn import TurnEnd as TurnEnd
    from telnyx_native.media.end_of_turn import TurnModel as TurnModel
    from telnyx_native.media.end_of_turn import turn_ends as turn_ends
    from telnyx_native.media.filtering import AudioFilter as AudioFilter
    from telnyx_native.media.filtering import FilteredAudio as FilteredAudio
    from telnyx_native.media.output import AudioLayer as AudioLayer
    from telnyx_native.media.output import AudioOutput as AudioOutput
    from telnyx_native.media.output import Cleared as Cleared
    from telnyx_native.media.packets import EncodedPacket as EncodedPacket
    from telnyx_native.media.packets import PacketCodec as PacketCodec
    from telnyx_native.media.packets import PacketTap as PacketTap
    from telnyx_native.media.playing import Mark as Mark
    from telnyx_native.media.playing import Playback as Playback
    from telnyx_native.media.quality import CallQuality as CallQuality
    from telnyx_native.media.quality import CallQualityMetrics as CallQualityMetrics
    from telnyx_native.media.recording import Recording as Recording
    from telnyx_native.media.sources import Playable as Playable
    from telnyx_native.media.stream import *  # noqa: F403 - all of it is public
    from telnyx_native.media.tap import AudioDirection as AudioDirection
    from telnyx_native.media.tap import AudioTap as AudioTap
    from telnyx_native.media.turns import BargeIn as BargeIn
    from telnyx_native.media.turns import DeadAir as DeadAir
    from telnyx_native.media.turns import DoubleTalk as DoubleTalk
    from telnyx_native.media.turns import Response as Response
    from telnyx_native.media.turns import Speaker as Speaker
    from telnyx_native.media.turns import Turn as Turn
    from telnyx_native.push import *  # noqa: F403 - all of it is public
    from telnyx_native.rest import *  # noqa: F403 - all of it is public
    from telnyx_native.signaling.health import SocketConnectionMetrics as SocketConnectionMetrics
    from telnyx_native.signaling.health import SocketConnectionQuality as SocketConnectionQuality
    from telnyx_native.signaling.logins import LoginTimings as LoginTimings
    from telnyx_native.snapshot import CallSnapshot as CallSnapshot
    from telnyx_native.snapshot import SessionSnapshot as SessionSnapshot
    from telnyx_native.states import *  # noqa: F403 - all of it is public
    from telnyx_native.version import versions as versions

_HOMES = {
    "assistant": "AiAssistant TranscriptItem WidgetSettings",
    "call": "Call",
    "call.conference": "Conference",
    "call.consultation": "Consultation",
    "call.lifecycle": "CallTimings",
    "call_control": "CallControl",
    "client": "TelnyxClient",
    "client.precall": "PreCallReport Spread run_pre_call",
    "config": (
        "AnonymousConfig AnswerDetectionConfig AudioCodec AudioConfig AudioEncoding AudioProcessing ConsentBeep "
        "CredentialConfig IceServer Limits NoiseSuppression OpusConfig PausedAudio RecordedPart RecordingConfig Region "
        "RingSink TelnyxConfig Timeouts TokenConfig TxServerConfiguration VoiceActivityConfig"
    ),
    "devices.handset": "Handset HandsetCounters HandsetState Loudspeaker",
    "devices.sound_system": "MicrophoneReport SoundDevice run_microphone_check sound_devices",
    "errors": (
        "AudioClosedError AuthenticationError CallError CallLimitError ChannelLimitError ConfigurationError "
        "ConsultationError DeviceError DrainingError EngineClosedError ErrorCode FlowClosedError "
        "GatewayRegistrationError InviteTimeoutError MalformedFrameError MediaError NetworkChangedError ReportError "
        "RequestError RequestTimeoutError RestError SdpError ServerUnavailableError SocketConnectionError TelnyxError "
        "TelnyxWarning WaitTimeoutError WarningCode"
    ),
    "events": (
        "AiConversationResponse AnswerResponse AttachResponse ByeResponse CallEvent CallIds CallMessage "
        "CandidateResponse ClientReadyResponse DisablePushResponse DisplayResponse EndOfCandidatesResponse "
        "EventResponse GatewayStateResponse InfoResponse InviteResponse LoginResponse MediaResponse MessageResponse "
        "ReceivedMessageBody ReceivedResult RemoteParty RingingResponse SocketMethod SocketResponse SocketStatus"
    ),
    "flow": "Collector SharedFlow StateFlow",
    "logs": "JsonLinesFormatter LogContextFilter LogLevel TxLogger log_context",
    "media.answer_detection": "AnswerDetection AnswerDetector AnswerReason AnswerVerdict Beep GreetingEnd",
    "media.audio_processor": "AudioProcessor",
    "media.call_progress": "CallProgress CallProgressDetector",
    "media.detectors": "DtmfDetector DtmfReceived DtmfSource VoiceActivity VoiceActivityDetector",
    "media.filtering": "AudioFilter FilteredAudio",
    "media.end_of_turn": "TurnEnd TurnModel turn_ends",
    "media.output": "AudioLayer AudioOutput Cleared",
    "media.packets": "EncodedPacket PacketCodec PacketTap",
    "media.playing": "Mark Playback",
    "media.quality": "CallQuality CallQualityMetrics",
    "media.recording": "Recording",
    "media.sources": "Playable",
    "media.stream": "AudioCounters AudioStream",
    "media.tap": "AudioDirection AudioTap",
    "media.turns": "BargeIn DeadAir DoubleTalk Response Speaker Turn",
    "push": "PushConfig PushEnvironment PushKind PushMetaData PushProvider",
    "rest": "TelephonyCredential TelephonyCredentials mint_login_token",
    "signaling.health": "SocketConnectionMetrics SocketConnectionQuality",
    "signaling.logins": "LoginTimings",
    "snapshot": "CallSnapshot SessionSnapshot",
    "states": (
        "CallDirection CallNetworkChangeReason CallState CallTerminationReason ConnectionStatus ConsultationState "
        "GatewayState HangupCause TransferOutcome Verdict"
    ),
    "version": "versions",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
