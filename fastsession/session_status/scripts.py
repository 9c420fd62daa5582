"""The scripts of pages as they are served."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from fastsession.dependencies.same_origin import Sender, sender

_FOLDER = Path(__file__).parent


class Script:
    """One of this folder's scripts, for pages of the application's origin."""

    def __init__(self, name: str) -> None:
        source = (_FOLDER / name).read_text(encoding="utf-8")
        # Without indentation and the lines that are comments, it is a fifth shorter and does the same.
        lines = (line.strip() for line in source.splitlines())
        self.name = name
        self._content = "\n".join(line for line in lines if line and not line.startswith("//")).encode()
        self._etag = f'"{sha256(self._content).hexdigest()[:32]}"'
        self._headers = {
            "ETag": self._etag,
            # An hour: after an update of this package, pages may have the script from before for that long.
            "Cache-Control": "public, max-age=3600",
            "X-Content-Type-Options": "nosniff",
            # A shared cache knows nothing of our refusals; with this the browser refuses by itself.
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def send(self, request: Request) -> Response:
        """Send the script, or 304 to a browser that has it, to pages of this origin and to the address bar."""
        if sender(request.headers) is Sender.OTHER_PAGE:
            return Response(status_code=HTTPStatus.FORBIDDEN, headers={"Cache-Control": "no-store"})
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=self._headers)
        return Response(self._content, media_type="text/javascript", headers=self._headers)


SCRIPTS = tuple(map(Script, ("session-timeout.js", "sign-in-timeout.js", "sign-out-on-close.js")))
