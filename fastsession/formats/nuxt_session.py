"""nuxt-auth-utils' sessions: those of h3 under Nuxt's cookie name."""

from __future__ import annotations

from fastsession.formats.h3_session import H3Session
from fastsession.formats.iron_passwords import IronPassword


class NuxtSession(H3Session):
    """Reads and writes the sessions of nuxt-auth-utils. `password` is NUXT_SESSION_PASSWORD.

    The data is what the front end put in: `user`, `secure`, `loggedInAt`. By default Nuxt sets no `max_age`
    and its sessions have no end. `h3` is the version below Nuxt: 1 up to Nuxt 4, whose seals cost one
    iteration; with 2, both are read.
    """

    def __init__(
        self, *, password: IronPassword, cookie_name: str = "nuxt-session", max_age: float = 0, h3: int = 1
    ) -> None:
        super().__init__(password=password, cookie_name=cookie_name, max_age=max_age, h3=h3)
