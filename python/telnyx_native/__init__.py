"""Telnyx WebRTC voice for Python: calls whose audio never waits for the interpreter.

Start with `TelnyxClient`. Names are loaded when they are first used, so that importing the package is quick
and starts nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from telnyx_native.version import __version__

if TYPE_CHECKING:
    from telnyx_native.ai.assistant import AiAssistant as AiAssistant
    from telnyx_native.ai.transcript import TranscriptItem as TranscriptItem
    from telnyx_native.ai.widget import WidgetSettings as WidgetSettings
    from telnyx_native.call import Call as Call
    from telnyx_native.call.conference import Conference as Conference
    from telnyx_native.call.timings import CallTimings as CallTimings
    from telnyx_native.client import TelnyxClient as TelnyxClient
    from telnyx_native.client.precall import PreCallReport as PreCallReport
    from telnyx_native.client.precall import Spread as Spread
    from telnyx_native.client.precall import run_pre_call as run_pre_call
    from telnyx_native.codes import ErrorCode as ErrorCode
    from telnyx_native.codes import TelnyxWarning as TelnyxWarning
    from telnyx_native.codes import WarningCode as WarningCode
    from telnyx_native.config import AnonymousConfig as AnonymousConfig
    from telnyx_native.config import AudioCodec as AudioCodec
    from telnyx_native.config import AudioConfig as AudioConfig
    from telnyx_native.config import AudioEncoding as AudioEncoding
    from telnyx_native.config import AudioProcessing as AudioProcessing
    from telnyx_native.config import CredentialConfig as CredentialConfig
    from telnyx_native.config import IceServer as IceServer
    from telnyx_native.config import Limits as Limits
    from telnyx_native.config import NoiseSuppression as NoiseSuppression
    from telnyx_native.config import OpusConfig as OpusConfig
    from telnyx_native.config import RingSink as RingSink
    from telnyx_native.config import TelnyxConfig as TelnyxConfig
    from telnyx_native.config import Timeouts as Timeouts
    from telnyx_native.config import TokenConfig as TokenConfig
    from telnyx_native.config import TxServerConfiguration as TxServerConfiguration
    from telnyx_native.config import VoiceActivityConfig as VoiceActivityConfig
    from telnyx_native.devices.handset import Handset as Handset
    from telnyx_native.devices.handset import HandsetCounters as HandsetCounters
    from telnyx_native.devices.handset import HandsetState as HandsetState
    from telnyx_native.devices.handset import Loudspeaker as Loudspeaker
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
    from telnyx_native.errors import DeviceError as DeviceError
    from telnyx_native.errors import DrainingError as DrainingError
    from telnyx_native.errors import EngineClosedError as EngineClosedError
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
    from telnyx_native.errors import WaitTimeoutError as WaitTimeoutError
    from telnyx_native.events import AiConversationResponse as AiConversationResponse
    from telnyx_native.events import AnswerResponse as AnswerResponse
    from telnyx_native.events import AttachResponse as AttachResponse
    from telnyx_native.events import ByeResponse as ByeResponse
    from telnyx_native.events import CallEvent as CallEvent
    from telnyx_native.events import CallIds as CallIds
    from telnyx_native.events import CandidateResponse as CandidateResponse
    from telnyx_native.events import ClientReadyResponse as ClientReadyResponse
    from telnyx_native.events import DisablePushResponse as DisablePushResponse
    from telnyx_native.events import DisplayResponse as DisplayResponse
    from telnyx_native.events import EndOfCandidatesResponse as EndOfCandidatesResponse
    from telnyx_native.events import EventResponse as EventResponse
    from telnyx_native.events import GatewayStateResponse as GatewayStateResponse
    from telnyx_native.events import InfoResponse as InfoResponse
    from telnyx_native.events import InviteResponse as InviteResponse
    from telnyx_native.events import LoginResponse as LoginResponse
    from telnyx_native.events import MediaResponse as MediaResponse
    from telnyx_native.events import ReceivedMessageBody as ReceivedMessageBody
    from telnyx_native.events import ReceivedResult as ReceivedResult
    from telnyx_native.events import RemoteParty as RemoteParty
    from telnyx_native.events import RingingResponse as RingingResponse
    from telnyx_native.events import SocketMethod as SocketMethod
    from telnyx_native.events import SocketResponse as SocketResponse
    from telnyx_native.events import SocketStatus as SocketStatus
    from telnyx_native.flow import Collector as Collector
    from telnyx_native.flow import SharedFlow as SharedFlow
    from telnyx_native.flow import StateFlow as StateFlow
    from telnyx_native.logs import JsonLinesFormatter as JsonLinesFormatter
    from telnyx_native.logs import LogContextFilter as LogContextFilter
    from telnyx_native.logs import LogLevel as LogLevel
    from telnyx_native.logs import TxLogger as TxLogger
    from telnyx_native.logs import log_context as log_context
    from telnyx_native.media.audio_processor import AudioProcessor as AudioProcessor
    from telnyx_native.media.dtmf import DtmfDetector as DtmfDetector
    from telnyx_native.media.dtmf import DtmfReceived as DtmfReceived
    from telnyx_native.media.dtmf import DtmfSource as DtmfSource
    from telnyx_native.media.output import AudioLayer as AudioLayer
    from telnyx_native.media.output import AudioOutput as AudioOutput
    from telnyx_native.media.output import Cleared as Cleared
    from telnyx_native.media.playing import Mark as Mark
    from telnyx_native.media.playing import Playback as Playback
    from telnyx_native.media.quality import CallQuality as CallQuality
    from telnyx_native.media.quality import CallQualityMetrics as CallQualityMetrics
    from telnyx_native.media.recording import Recording as Recording
    from telnyx_native.media.sources import Playable as Playable
    from telnyx_native.media.stream import AudioCounters as AudioCounters
    from telnyx_native.media.stream import AudioStream as AudioStream
    from telnyx_native.media.tap import AudioDirection as AudioDirection
    from telnyx_native.media.tap import AudioTap as AudioTap
    from telnyx_native.media.voice_activity import VoiceActivity as VoiceActivity
    from telnyx_native.media.voice_activity import VoiceActivityDetector as VoiceActivityDetector
    from telnyx_native.push import PushConfig as PushConfig
    from telnyx_native.push import PushEnvironment as PushEnvironment
    from telnyx_native.push import PushKind as PushKind
    from telnyx_native.push import PushMetaData as PushMetaData
    from telnyx_native.push import PushProvider as PushProvider
    from telnyx_native.region import Region as Region
    from telnyx_native.rest import TelephonyCredential as TelephonyCredential
    from telnyx_native.rest import TelephonyCredentials as TelephonyCredentials
    from telnyx_native.rest import mint_login_token as mint_login_token
    from telnyx_native.signaling.health import SocketConnectionMetrics as SocketConnectionMetrics
    from telnyx_native.signaling.health import SocketConnectionQuality as SocketConnectionQuality
    from telnyx_native.signaling.logins import LoginTimings as LoginTimings
    from telnyx_native.states import CallDirection as CallDirection
    from telnyx_native.states import CallNetworkChangeReason as CallNetworkChangeReason
    from telnyx_native.states import CallState as CallState
    from telnyx_native.states import CallTerminationReason as CallTerminationReason
    from telnyx_native.states import ConnectionStatus as ConnectionStatus
    from telnyx_native.states import GatewayState as GatewayState
    from telnyx_native.states import HangupCause as HangupCause
    from telnyx_native.verdict import Verdict as Verdict
    from telnyx_native.version import versions as versions

_HOMES = {
    "ai.assistant": "AiAssistant",
    "ai.transcript": "TranscriptItem",
    "ai.widget": "WidgetSettings",
    "call": "Call",
    "call.conference": "Conference",
    "call.timings": "CallTimings",
    "client": "TelnyxClient",
    "client.precall": "PreCallReport Spread run_pre_call",
    "codes": "ErrorCode TelnyxWarning WarningCode",
    "config": (
        "AnonymousConfig AudioCodec AudioConfig AudioEncoding AudioProcessing CredentialConfig IceServer Limits "
        "NoiseSuppression OpusConfig RingSink TelnyxConfig Timeouts TokenConfig TxServerConfiguration "
        "VoiceActivityConfig"
    ),
    "devices.handset": "Handset HandsetCounters HandsetState Loudspeaker",
    "devices.sound_system": "MicrophoneReport SoundDevice run_microphone_check sound_devices",
    "errors": (
        "AudioClosedError AuthenticationError CallError CallLimitError ChannelLimitError ConfigurationError "
        "DeviceError DrainingError "
        "EngineClosedError FlowClosedError GatewayRegistrationError InviteTimeoutError MalformedFrameError MediaError "
        "NetworkChangedError ReportError RequestError RequestTimeoutError RestError SdpError "
        "ServerUnavailableError SocketConnectionError TelnyxError WaitTimeoutError"
    ),
    "events": (
        "AiConversationResponse AnswerResponse AttachResponse ByeResponse CallEvent CallIds CandidateResponse "
        "ClientReadyResponse DisablePushResponse DisplayResponse EndOfCandidatesResponse EventResponse "
        "GatewayStateResponse InfoResponse InviteResponse LoginResponse MediaResponse ReceivedMessageBody "
        "ReceivedResult RemoteParty RingingResponse SocketMethod SocketResponse SocketStatus"
    ),
    "flow": "Collector SharedFlow StateFlow",
    "logs": "JsonLinesFormatter LogContextFilter LogLevel TxLogger log_context",
    "media.audio_processor": "AudioProcessor",
    "media.dtmf": "DtmfDetector DtmfReceived DtmfSource",
    "media.output": "AudioLayer AudioOutput Cleared",
    "media.playing": "Mark Playback",
    "media.quality": "CallQuality CallQualityMetrics",
    "media.recording": "Recording",
    "media.sources": "Playable",
    "media.stream": "AudioCounters AudioStream",
    "media.tap": "AudioDirection AudioTap",
    "media.voice_activity": "VoiceActivity VoiceActivityDetector",
    "push": "PushConfig PushEnvironment PushKind PushMetaData PushProvider",
    "region": "Region",
    "rest": "TelephonyCredential TelephonyCredentials mint_login_token",
    "signaling.health": "SocketConnectionMetrics SocketConnectionQuality",
    "signaling.logins": "LoginTimings",
    "states": (
        "CallDirection CallNetworkChangeReason CallState CallTerminationReason ConnectionStatus "
        "GatewayState HangupCause"
    ),
    "verdict": "Verdict",
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
