"""A browser as far as Device Bound Session Credentials go: dbsc.md's protocol over a test client, with a movable clock."""

import json
import re
from copy import copy
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from tests.device_binding.device_key import DeviceKey
from tests.reference.cookie_jar import CookieJar, Request

# With so many seconds or less left, Chromium refreshes beside the request.
NEAR_ITS_END = 120
# Answers of the refresh endpoint that are no end: it asks for a proof, a proxy or a limit is in the way.
_GOES_ON = (403, 407, 429)
_REGISTRATION = re.compile(r'\(ES256\);path="([^"]+)";challenge="([^"]+)"')
_CHALLENGE = re.compile(r'"([^"]+)";id="([^"]+)"')


@dataclass
class Binding:
    """What the browser keeps of a bound session. The key never leaves it."""

    key: DeviceKey
    identifier: str
    refresh_path: str
    cookie: str
    excluded: list[str]
    challenge: str | None = None


@dataclass(frozen=True)
class Offer:
    """A server's offer to register a key."""

    path: str
    challenge: str


class Jar(CookieJar):
    """As Chromium, without a cookie at the very second at which it expires."""

    def cookies(self) -> list[Any]:
        now = self._clock()
        return [cookie for cookie in super().cookies() if cookie.expires_at > now]


class Browser:
    """Keeps cookies by the clock, and registers and refreshes as Chromium does.

    `binds=False` is a browser without the feature. With `registers=False` it only notes the offers, until
    `register()` is called.
    """

    def __init__(
        self,
        app: Any,
        clock: Any,
        *,
        site: str = "https://testserver",
        root_path: str = "",
        binds: bool = True,
        registers: bool = True,
    ) -> None:
        self.app, self.clock, self.site, self.root_path = app, clock, site, root_path
        self.binds, self.registers = binds, registers
        # Whether it refreshes beside requests when the cookie nears its end.
        self.refreshes_early = True
        self.jar = Jar(clock)
        self.bindings: dict[str, Binding] = {}
        self.offers: list[Offer] = []
        # Every request in order: "POST /login 200".
        self.log: list[str] = []
        self.client = TestClient(app, base_url=site, root_path=root_path, raise_server_exceptions=False)

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.ask("POST", path, **options)

    def follow_link(self, path: str, *, skipped: str | None = None) -> Any:
        """Navigate from a page of another site: not held for a refresh."""
        headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
        headers += [("secure-session-skipped", skipped)] if skipped else []
        return self.ask("GET", path, headers=headers, held=False)

    def ask(self, method: str, path: str, *, headers: Any = (), json: Any = None, held: bool = True) -> Any:
        """Send a request, held for a refresh where one is needed, and register what the response offers."""
        headers, early = list(headers), []
        for binding in self._in_scope(path):
            left = self._seconds_left(binding)
            if left is None:
                if held and not self.refresh(binding):
                    headers.append(("secure-session-skipped", "server_error"))
            elif left <= NEAR_ITS_END:
                early.append(binding)
        response = self.send(method, path, headers, json=json)
        for binding in early:
            if self.refreshes_early and binding.identifier in self.bindings:
                self.refresh(binding)
        return response

    def send(self, method: str, path: str, headers: Any = (), *, json: Any = None) -> Any:
        """Send one request with the jar's cookies, and do nothing more than keep what comes back."""
        request = Request(self.site + self.root_path + path, method)
        cookie = self.jar.header(request)
        sent = [*headers, *([("cookie", cookie.decode())] if cookie else [])]
        response = self.client.request(method, path, headers=sent, json=json, follow_redirects=False)
        self.client.cookies.clear()
        self.log.append(f"{method} {path} {response.status_code}")
        for line in response.headers.get_list("set-cookie"):
            self.jar.receive(request, line.encode())
        self._note_challenge(response)
        self._take_offers(response)
        return response

    def register(self) -> Any:
        """Accept the newest offer with a new key; returns the server's answer."""
        offer, key = self.offers.pop(), DeviceKey()
        response = self.send("POST", self._below(offer.path), [response_header(key.registration(offer.challenge))])
        if response.status_code == 200:
            self._keep_binding(key, json.loads(response.text))
        return response

    def refresh(self, binding: Binding | None = None) -> bool:
        """Prove the key. False, and the request goes on without, when the server could not say yes or no."""
        binding = binding or self.binding
        for _ in range(3):
            headers = [("sec-secure-session-id", binding.identifier)]
            if binding.challenge is not None:
                headers.append(response_header(binding.key.refresh(binding.challenge)))
            asked_with, binding.challenge = binding.challenge, None
            response = self.send("POST", self._below(binding.refresh_path), headers)
            if response.status_code == 200:
                return True
            if response.status_code == 403 and binding.challenge is not None:
                continue
            if 300 <= response.status_code < 500 and response.status_code not in _GOES_ON:
                del self.bindings[binding.identifier]
                return True
            binding.challenge = binding.challenge or asked_with
            return False
        return False

    @property
    def binding(self) -> Binding:
        """The only one."""
        [binding] = self.bindings.values()
        return binding

    @property
    def is_bound(self) -> bool:
        return bool(self.bindings)

    def count(self, line: str) -> int:
        """How often the log has a line that ends so."""
        return sum(entry == line for entry in self.log)

    def close(self) -> None:
        """Close and open the browser: cookies of the session are gone, keys are not."""
        self.jar.end_session()

    def plant(self, cookies: dict[str, str]) -> None:
        """Put cookies into the jar that another response set, or somebody."""
        for name, value in cookies.items():
            self.jar.receive(Request(f"{self.site}/"), f"{name}={value}; Path=/; Secure; HttpOnly".encode())

    def forget(self, *names: str) -> None:
        """Delete cookies by their name."""
        for key, cookie in list(self.jar._cookies.items()):
            if cookie.name.decode() in names:
                del self.jar._cookies[key]

    def cookies(self) -> dict[str, str]:
        return {cookie.name.decode(): cookie.value.decode() for cookie in self.jar.cookies()}

    def seconds_kept(self, name: str) -> float:
        """How long the jar keeps a cookie by that name."""
        [cookie] = [cookie for cookie in self.jar.cookies() if cookie.name.decode() == name]
        return cookie.expires_at - self.clock()

    def cookie_header(self, **replaced: str | None) -> str:
        """What the jar would send; a cookie's value can be replaced, or left out with None, by its place."""
        values: dict[str, str | None] = {**self.cookies(), **replaced}
        return "; ".join(f"{name}={value}" for name, value in values.items() if value is not None)

    def stolen(self) -> "Thief":
        """Somebody who has copied the jar, and not the key."""
        return Thief(self)

    def _in_scope(self, path: str) -> list[Binding]:
        bare = self.root_path + path.partition("?")[0]
        return [
            binding
            for binding in self.bindings.values()
            if bare != binding.refresh_path
            and not any(bare == prefix or bare.startswith(f"{prefix}/") for prefix in binding.excluded)
        ]

    def _seconds_left(self, binding: Binding) -> float | None:
        ends = [cookie.expires_at for cookie in self.jar.cookies() if cookie.name.decode() == binding.cookie]
        return max(ends) - self.clock() if ends else None

    def _below(self, path: str) -> str:
        """The path as the test client takes it: it adds root_path by itself."""
        assert path.startswith(f"{self.root_path}/"), path
        return path.removeprefix(self.root_path)

    def _take_offers(self, response: Any) -> None:
        for value in response.headers.get_list("secure-session-registration"):
            if self.binds and self.site.startswith("https:"):
                match = _REGISTRATION.fullmatch(value)
                assert match, value
                self.offers.append(Offer(*match.groups()))
                if self.registers:
                    self.register()

    def _note_challenge(self, response: Any) -> None:
        for value in response.headers.get_list("secure-session-challenge"):
            match = _CHALLENGE.fullmatch(value)
            assert match, value
            challenge, identifier = match.groups()
            if identifier in self.bindings:
                self.bindings[identifier].challenge = challenge

    def _keep_binding(self, key: DeviceKey, instructions: Any) -> None:
        """Start the session that the instructions describe, as long as they are what a browser accepts."""
        assert "origin" not in instructions["scope"]
        assert instructions["scope"]["include_site"] is False
        [credential] = instructions["credentials"]
        assert credential["type"] == "cookie"
        rules = instructions["scope"].get("scope_specification", [])
        assert {rule["type"] for rule in rules} <= {"exclude"}
        identifier, excluded = instructions["session_identifier"], [rule["path"] for rule in rules]
        # The cookie must come with the instructions, or Chromium fails the registration.
        assert credential["name"] in self.cookies()
        self.bindings[identifier] = Binding(key, identifier, instructions["refresh_url"], credential["name"], excluded)


class Thief:
    """Sends a copied jar from elsewhere: without the key, and whatever the cookies' ages say."""

    def __init__(self, browser: Browser) -> None:
        self.browser = copy(browser)
        self.taken = browser.cookies()
        self.client = TestClient(
            browser.app, base_url=browser.site, root_path=browser.root_path, raise_server_exceptions=False
        )

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, *, headers: Any = ()) -> Any:
        sent = [*headers, ("cookie", "; ".join(f"{name}={value}" for name, value in self.taken.items()))]
        response = self.client.request(method, path, headers=sent, follow_redirects=False)
        self.client.cookies.clear()
        return response


def response_header(proof: str) -> tuple[str, str]:
    return "secure-session-response", proof


def offer_in(response: Any) -> Offer | None:
    """The offer in a response's headers."""
    values = response.headers.get_list("secure-session-registration")
    if not values:
        return None
    [value] = values
    match = _REGISTRATION.fullmatch(value)
    assert match, value
    return Offer(*match.groups())


def challenge_in(response: Any) -> str | None:
    """The challenge in a response's headers."""
    values = response.headers.get_list("secure-session-challenge")
    if not values:
        return None
    [value] = values
    match = _CHALLENGE.fullmatch(value)
    assert match, value
    return match[1]
