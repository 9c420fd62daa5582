"""Chromium as the tests and the screenshots start it, and servers for it."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

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


def find_chromium() -> str | None:
    """The program that Debian's package chromium installs."""
    return shutil.which("chromium")


@contextmanager
def running_chromium(program: str, certificate: Certificate) -> Iterator[Browser]:
    """Chromium with a new profile, in which HOSTS are this machine and the certificate is trusted."""
    rules = ", ".join(f"MAP {host} 127.0.0.1" for host in HOSTS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                *_QUIET,
                "--no-sandbox",
                f"--host-resolver-rules={rules}",
                f"--ignore-certificate-errors-spki-list={certificate.public_key_hash}",
            ],
            # Playwright turns the back/forward cache off, and whether a page comes back out of it is a question here.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        try:
            yield browser
        finally:
            browser.close()


def served(app: Any, host: str, certificate: Certificate | None) -> AbstractContextManager[str]:
    """The address of `app` under `host` while it is served, over https when there is a certificate."""
    tls = {"ssl_certfile": certificate.file, "ssl_keyfile": certificate.key_file} if certificate else {}
    return live_server.served(app, host=host, **tls)
