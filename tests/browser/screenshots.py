"""`python -m tests.browser.screenshots FOLDER`: the pictures of the example shop that the documentation shows."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from playwright.sync_api import Browser, Page

from fastsession.testing import Clock
from tests.browser.certificate import make_certificate
from tests.browser.chromium import HOSTS, find_chromium, running_chromium, served
from tests.browser.shop_tour import sign_in_elsewhere, tour
from tests.example_shop import create_shop
from tests.shop import START

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
KEPT_SIZE = (1000, 760)
# Where a page of the documentation stays quick to load.
MOST_BYTES = 150_000


class Picture(NamedTuple):
    """A stop of the tour, in light or dark."""

    stop: str
    scheme: str


KEPT = {
    "shop-catalogue": Picture("catalogue", "light"),
    "shop-cart": Picture("cart", "dark"),
    "shop-devices": Picture("devices", "light"),
    "timeout-warning": Picture("warning", "light"),
    "inspector-light": Picture("inspector", "light"),
    "inspector-dark": Picture("experiment", "dark"),
}


@contextmanager
def touring(chromium: Browser, size: tuple[int, int], scheme: str) -> Iterator[Iterator[tuple[str, Page]]]:
    """A tour through a new shop, in a window of this size and colour scheme."""
    width, height = size
    # It starts at the same time for every tour, so that the pages show the same dates.
    clock = Clock(START)
    with TemporaryDirectory() as folder:
        shop = create_shop(Path(folder), clock, inspector=True)
        # The inspector answers on this machine's own name only.
        with served(shop, "localhost", None) as site:
            sign_in_elsewhere(chromium, site, clock)
            with chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
                yield tour(context, site, clock)


def take_kept(chromium: Browser, folder: Path) -> Iterator[Path]:
    """Write the pictures that the documentation shows, as large as the window."""
    for scheme in SCHEMES:
        names = {picture.stop: name for name, picture in KEPT.items() if picture.scheme == scheme}
        with touring(chromium, KEPT_SIZE, scheme) as stops:
            for stop, page in stops:
                if stop in names:
                    file = folder / f"{names[stop]}.png"
                    page.screenshot(path=file)
                    yield file


def take_all(chromium: Browser, folder: Path) -> Iterator[Path]:
    """Write every page in each width and colour scheme from top to bottom, as page-width-scheme.png."""
    for width, scheme in product(WIDTHS, SCHEMES):
        with touring(chromium, (width, 800), scheme) as stops:
            for stop, page in stops:
                file = folder / f"{stop}-{width}-{scheme}.png"
                page.screenshot(path=file, full_page=True)
                yield file


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="every page, narrow, wide, light and dark, to look it over")
    options = parser.parse_args()
    folder: Path = options.folder
    program = find_chromium()
    if program is None:
        sys.exit("screenshots: chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        certificate = make_certificate(HOSTS, Path(temporary))
        with running_chromium(program, certificate) as chromium:
            files = list((take_all if options.all else take_kept)(chromium, folder))
    for file in files:
        print(f"{file} {file.stat().st_size:,} bytes")
    if not options.all and any(file.stat().st_size > MOST_BYTES for file in files):
        sys.exit(f"screenshots: some are larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
