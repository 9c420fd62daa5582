"""How long a session still lasts, for pages that warn before it ends. docs/timeout-warning.md tells how to use it."""

from fastsession.session_status.router import session_status_router

__all__ = ["session_status_router"]
