"""A page for development that shows a session from both sides, and tries its security on it."""

from fastsession.inspector.app import SessionInspector

__all__ = ["SessionInspector"]
