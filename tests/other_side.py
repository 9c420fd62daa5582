"""The system that a session is shared with, played by the format itself: its bytes are proved in tests/formats/."""

from fastsession.formats import ClientSessions, ForeignSession, Iron, IronSession, Yar
from tests.shop import IDLE

PASSWORD = "what both sides know, and nobody else does"
NAME = "shared"
FORMATS = {
    "IronSession": IronSession(password={2: PASSWORD, 1: PASSWORD + " since last year"}, cookie_name=NAME, ttl=IDLE),
    "Iron": Iron(password=PASSWORD, cookie_name=NAME, ttl=IDLE),
    "Yar": Yar(password=PASSWORD, cookie_name=NAME, ttl=IDLE),
    "ClientSessions": ClientSessions(secret=PASSWORD, cookie_name=NAME, duration=IDLE),
}


class OtherSide:
    """Its view of the cookies in one browser."""

    def __init__(self, format_, client, clock):
        self.format, self.client, self.clock = format_, client, clock

    @property
    def data(self):
        pairs = {cookie.name: cookie.value for cookie in self.client.cookies.jar}
        return self.format.read(pairs, now=self.clock()).data

    def write(self, data):
        for name, value in self.format.write(ForeignSession(data), now=self.clock()).items():
            self.client.cookies.set(name, value, domain="testserver.local", path="/")
