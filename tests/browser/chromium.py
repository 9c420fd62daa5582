"""Chromium as the tests and the screenshots start it, and servers for it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, sync_playwright

from tests import live_server
from tests.browser.certificate import Certificate

# Two sites, and a subdomain of each. They resolve to this machine in the tests' browser and nowhere else.
HOSTS = ("a.test", "www.a.test", "b.test", "www.b.test")
# Nothing that a browser does on its own account, such as looking for updates.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

# Device-bound sessions, with keys in software where there is no security chip. They are on by default on Windows and
# macOS only. Chromium refreshes at most some five times in nine minutes, unless the quota is off.
SOFTWARE_KEYS = "EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
BOUND_SESSIONS = ("DeviceBoundSessions:RefreshQuota/false", SOFTWARE_KEYS)
BOUND_SESSIONS_WITH_QUOTA = ("DeviceBoundSessions", SOFTWARE_KEYS)


def find_chromium() -> str | None:
    """The program that Debian's package chromium installs."""
    return shutil.which("chromium")


@contextmanager
def running_chromium(program: str, certificate: Certificate) -> Iterator[Browser]:
    """Chromium with a new profile, in which HOSTS are this machine and the certificate is trusted."""
    with sync_playwright() as playwright, launched(playwright.chromium, program, certificate) as browser:
        yield browser


@contextmanager
def launched(
    browser_type: BrowserType, program: str, certificate: Certificate, features: Sequence[str] = ()
) -> Iterator[Browser]:
    """The same where Playwright runs already, with some of the browser's features switched on."""
    browser = browser_type.launch(executable_path=program, **_options(certificate, features))
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def launched_with_profile(
    browser_type: BrowserType, program: str, folder: Path, certificate: Certificate, features: Sequence[str] = ()
) -> Iterator[BrowserContext]:
    """As `launched`, with a profile that stays in the folder for the next time."""
    context = browser_type.launch_persistent_context(folder, executable_path=program, **_options(certificate, features))
    try:
        yield context
    finally:
        context.close()


def _options(certificate: Certificate, features: Sequence[str]) -> dict[str, Any]:
    rules = ", ".join(f"MAP {host} 127.0.0.1" for host in HOSTS)
    return {
        "args": [
            *_QUIET,
            "--no-sandbox",
            f"--host-resolver-rules={rules}",
            f"--ignore-certificate-errors-spki-list={certificate.public_key_hash}",
            *([f"--enable-features={','.join(features)}"] if features else []),
        ],
        # Playwright turns the back/forward cache off, and whether a page comes back out of it is a question here.
        "ignore_default_args": ["--disable-back-forward-cache"],
    }


def served(app: Any, host: str, certificate: Certificate | None) -> AbstractContextManager[str]:
    """The address of `app` under `host` while it is served, over https when there is a certificate."""
    tls = {"ssl_certfile": certificate.file, "ssl_keyfile": certificate.key_file} if certificate else {}
    return live_server.served(app, host=host, **tls)
