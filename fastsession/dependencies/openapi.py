"""The session's cookie in an OpenAPI document, as a security scheme under its real name."""

from __future__ import annotations

from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase

from fastsession.errors import ConfigurationError
from fastsession.session import Session

# A dependency is made before the middleware that knows the cookie's name, and FastAPI asks it with no word
# of the application: so the middleware, when it is built, leaves the name here under its model.
_cookie_names: dict[type[Session], str] = {}
_BEFORE_ANY_MIDDLEWARE = "__Host-app_session"


def announce_cookie(model: type[Session], name: str) -> None:
    """Note the name of the cookie that carries `model`; the latest counts."""
    _cookie_names.pop(model, None)
    _cookie_names[model] = name


class SessionScheme(SecurityBase):
    """A dependency that FastAPI documents as an API key in a cookie. `session_model` None is the only one."""

    def __init__(self, session_model: type[Session] | None) -> None:
        if session_model is not None and not (isinstance(session_model, type) and issubclass(session_model, Session)):
            message = "The model must be a class derived from fastsession.Session, as in session_of(ShopSession)."
            raise ConfigurationError(message)
        self.session_model = session_model
        self.scheme_name = "SessionCookie" if session_model is None else f"{session_model.__name__}Cookie"

    @property
    def model(self) -> APIKey:  # type: ignore[override]  # FastAPI declares an attribute and only reads it
        """The security scheme, with the cookie name known by now."""
        fitting = [name for model, name in _cookie_names.items() if issubclass(model, self.session_model or Session)]
        latest = fitting[-1] if fitting else _BEFORE_ANY_MIDDLEWARE
        # A middleware whose model is derived from the one that is meant serves it too.
        name = latest if self.session_model is None else _cookie_names.get(self.session_model, latest)
        return APIKey.model_validate({"in": APIKeyIn.cookie, "name": name, "description": "Encrypted session cookie."})
