"""Encrypted, typed sessions for Starlette and FastAPI."""

from typing import TYPE_CHECKING, Any

from fastsession.dependencies.local_path import local_path
from fastsession.dependencies.rechecking import closing_when_over, recheck
from fastsession.dependencies.requirement import require
from fastsession.dependencies.same_origin import SameOrigin, same_origin
from fastsession.dependencies.sessions import CurrentSession, get_session, session_of
from fastsession.dependencies.signed_in import SignedIn
from fastsession.errors import (
    ConfigurationError,
    FastSessionError,
    LateSessionChangeError,
    SessionLimitError,
    SessionNotSerializableError,
    SessionTooLargeError,
    StoreUnavailableError,
)
from fastsession.events import SessionEvent
from fastsession.keyring import generate_key
from fastsession.lifetime import Lifetime
from fastsession.middleware import SessionMiddleware
from fastsession.server_side.control import SessionControl, SessionEntry, control_of, get_session_control
from fastsession.session import Session, SessionInfo
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.device_binding import DeviceBinding

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "CurrentSession",
    "DeviceBinding",
    "FastSessionError",
    "LateSessionChangeError",
    "Lifetime",
    "SameOrigin",
    "Session",
    "SessionControl",
    "SessionEntry",
    "SessionEvent",
    "SessionInfo",
    "SessionLimitError",
    "SessionMiddleware",
    "SessionNotSerializableError",
    "SessionStatus",
    "SessionTooLargeError",
    "SignedIn",
    "StoreUnavailableError",
    "closing_when_over",
    "control_of",
    "generate_key",
    "get_session",
    "get_session_control",
    "local_path",
    "recheck",
    "require",
    "same_origin",
    "session_of",
]


def __getattr__(name: str) -> Any:
    if name != "DeviceBinding":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    # Only applications that bind import it.
    from fastsession.device_binding import DeviceBinding  # noqa: PLC0415

    return DeviceBinding
