"""A browser's cookie jar written from the text of RFC 6265bis, sections 5.1, 5.7 and 5.8.3. Correct, not fast.

The prefixes __Http- and __Host-Http- are those of draft-ietf-httpbis-layered-cookies, Partitioned is that of
draft-cutler-httpbis-partitioned-cookies (CHIPS).
"""

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tests.reference.set_cookie import parse

# Section 5.7 leaves the bounds to the user agent: Chromium's for a domain, the RFC's example for all.
MOST_OF_A_DOMAIN, MOST_OF_ALL = 180, 3000
# CHIPS leaves this one to it as well: bytes of name and value of a domain's cookies in one partition, in Chromium.
MOST_BYTES_OF_A_PARTITION = 10 * 1024
_NEVER = float("inf")
_PREFIXES = (b"__secure-", b"__host-", b"__http-")


@dataclass(frozen=True)
class Request:
    """What a user agent knows of a request; without options a same-site navigation of a top-level page.

    `partition` is the top-level site, and `script` is for what a script does by itself (a "non-HTTP" API).
    """

    url: str
    method: str = "GET"
    same_site: bool = True
    navigation: bool = True
    script: bool = False
    partition: str = "top"

    @property
    def host(self):
        return (urlsplit(self.url).hostname or "").encode()

    @property
    def path(self):
        return urlsplit(self.url).path.encode() or b"/"

    @property
    def secure(self):
        """Section 5.8.3, note: TLS, or a host that is trusted because it is this machine."""
        return urlsplit(self.url).scheme in ("https", "wss") or self.host in (b"localhost", b"127.0.0.1")


@dataclass(frozen=True)
class Cookie:
    """The fields of section 5.7."""

    name: bytes
    value: bytes
    expires_at: float
    domain: bytes
    path: bytes
    created_at: float
    persistent: bool
    host_only: bool
    secure: bool
    http_only: bool
    same_site: str
    partition: str | None

    @property
    def key(self):
        return self.name, self.domain, self.host_only, self.path, self.partition


class CookieJar:
    def __init__(self, clock, *, public_suffixes=()):
        self._clock = clock
        self._public_suffixes = public_suffixes
        self._cookies = {}
        # When each was last sent: times, and of equal ones the order of requests.
        self._accessed = {}
        self._accesses = 0

    def cookies(self):
        """What is stored now; an expired cookie is evicted at once."""
        now = self._clock()
        self._cookies = {key: cookie for key, cookie in self._cookies.items() if cookie.expires_at >= now}
        return list(self._cookies.values())

    def receive(self, request, line):
        """Store what a Set-Cookie line sets; the cookie, also one that deletes, or None where it is ignored."""
        now = self._clock()
        received = parse(line, now=now)
        if received is None or not (received.name or received.value):
            return None
        cookie = self._made(request, received, now)
        if cookie is None or self._refused(request, cookie, received.attributes):
            return None
        old = self._cookies.pop(cookie.key, None)
        if old is not None:
            # Step 23.
            if request.script and old.http_only:
                self._cookies[old.key] = old
                return None
            cookie = replace(cookie, created_at=old.created_at)
        self._cookies[cookie.key] = cookie
        self._access(cookie)
        self._remove_excess(cookie.domain)
        self._shrink_partition(cookie)
        return cookie

    def header(self, request):
        """The cookie-string for a request, None without a cookie (section 5.8.3)."""
        sent = sorted(
            (cookie for cookie in self.cookies() if self._is_sent(request, cookie)),
            key=lambda cookie: (-len(cookie.path), cookie.created_at),
        )
        for cookie in sent:
            self._access(cookie)
        pairs = [(cookie.name + b"=" if cookie.name else b"") + cookie.value for cookie in sent]
        return b"; ".join(pairs) if pairs else None

    def end_session(self):
        """Close the browser: what is not persistent is gone."""
        self._cookies = {key: cookie for key, cookie in self._cookies.items() if cookie.persistent}

    def _made(self, request, received, now):
        """Steps 5 to 17: the cookie with its fields, None for a domain that is not the request's to name."""
        attributes = received.attributes
        domain = attributes.get("domain", b"")
        if not domain.isascii():
            return None
        if domain in self._public_suffixes:
            if domain != request.host:
                return None
            domain = b""
        if domain and not domain_matches(request.host, domain):
            return None
        return Cookie(
            name=received.name,
            value=received.value,
            expires_at=attributes.get("max-age", attributes.get("expires", _NEVER)),
            domain=domain or request.host,
            path=attributes.get("path") or default_path(request.path),
            created_at=now,
            persistent="max-age" in attributes or "expires" in attributes,
            host_only=not domain,
            secure="secure" in attributes,
            http_only="httponly" in attributes,
            same_site=attributes.get("samesite", "Default"),
            partition=request.partition if "partitioned" in attributes else None,
        )

    def _refused(self, request, cookie, attributes):
        """Whether one of the steps 13 to 22 ignores the cookie."""
        name, value = cookie.name.lower(), cookie.value.lower()
        rooted = cookie.secure and cookie.host_only and "path" in attributes and cookie.path == b"/"
        unreadable = cookie.secure and cookie.http_only
        return (
            (cookie.secure and not request.secure)
            or (request.script and cookie.http_only)
            or (not cookie.secure and not request.secure and self._overlays_a_secure_one(cookie))
            or (cookie.same_site != "None" and not request.same_site and (request.script or not request.navigation))
            or (cookie.same_site == "None" and not cookie.secure)
            or (cookie.partition is not None and not cookie.secure)
            or (name.startswith(b"__secure-") and not cookie.secure)
            or (name.startswith(b"__host-") and not rooted)
            or (name.startswith((b"__http-", b"__host-http-")) and not unreadable)
            or (not name and value.startswith(_PREFIXES))
        )

    def _overlays_a_secure_one(self, cookie):
        """Step 16."""
        return any(
            old.name == cookie.name
            and old.secure
            and (domain_matches(old.domain, cookie.domain) or domain_matches(cookie.domain, old.domain))
            and path_matches(cookie.path, old.path)
            for old in self.cookies()
        )

    def _is_sent(self, request, cookie):
        """Step 3 of section 5.8.3."""
        in_reach = request.host == cookie.domain if cookie.host_only else domain_matches(request.host, cookie.domain)
        safe = request.method in ("GET", "HEAD", "OPTIONS", "TRACE")
        wanted_across_sites = (
            not request.script and cookie.same_site in ("Lax", "Default") and safe and request.navigation
        )
        return (
            in_reach
            and (cookie.host_only or cookie.domain not in self._public_suffixes)
            and path_matches(request.path, cookie.path)
            and (request.secure or not cookie.secure)
            and not (request.script and cookie.http_only)
            and (cookie.same_site == "None" or request.same_site or wanted_across_sites)
            and cookie.partition in (None, request.partition)
        )

    def _access(self, cookie):
        self._accesses += 1
        self._accessed[cookie.key] = self._clock(), self._accesses

    def _remove_excess(self, domain):
        """The end of section 5.7: of a domain with too many the least recently sent one, those without Secure first."""
        stored = self.cookies()
        of_domain = [cookie for cookie in stored if cookie.domain == domain]
        if len(of_domain) > MOST_OF_A_DOMAIN:
            self._evict(min(of_domain, key=lambda cookie: (cookie.secure, self._accessed[cookie.key])))
        elif len(stored) > MOST_OF_ALL:
            self._evict(min(stored, key=lambda cookie: self._accessed[cookie.key]))

    def _shrink_partition(self, new):
        """Evict the least recently sent cookies of a partition that holds too much of a domain."""
        held = [each for each in self.cookies() if (each.domain, each.partition) == (new.domain, new.partition)]
        held.sort(key=lambda cookie: self._accessed[cookie.key])
        while new.partition is not None and sum(map(_size, held)) > MOST_BYTES_OF_A_PARTITION:
            self._evict(held.pop(0))

    def _evict(self, cookie):
        del self._cookies[cookie.key], self._accessed[cookie.key]


def domain_matches(host, domain):
    """Section 5.1.3."""
    return host == domain or (host.endswith(b"." + domain) and not _is_address(host))


def path_matches(path, cookie_path):
    """Section 5.1.4."""
    return path == cookie_path or path.startswith(cookie_path if cookie_path.endswith(b"/") else cookie_path + b"/")


def default_path(path):
    """Section 5.1.4."""
    return path[: path.rfind(b"/")] if path.startswith(b"/") and path.count(b"/") > 1 else b"/"


def _size(cookie):
    return len(cookie.name) + len(cookie.value)


def _is_address(host):
    try:
        ipaddress.ip_address(host.decode())
    except ValueError:
        return False
    return True
