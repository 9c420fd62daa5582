"""The pictures of the example shop in the documentation: made by one command, small, and shown with a text."""

import re
from pathlib import Path

import pytest

from tests.browser.screenshots import KEPT, MOST_BYTES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/_static/screenshots"


@pytest.fixture(scope="module")
def shown():
    """The text beside each picture that a page shows, by the picture's name."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    picture = re.compile(r"!\[([^\]]+)\]\([^)]*_static/screenshots/([\w-]+)\.png\)")
    return {name: text for page in pages for text, name in picture.findall(page.read_text())}


def test_the_command_makes_the_pictures_that_are_kept_and_no_others():
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.png" for name in KEPT}


@pytest.mark.parametrize("name", KEPT)
def test_each_picture_is_quick_to_load(name):
    data = (FOLDER / f"{name}.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < MOST_BYTES


@pytest.mark.parametrize("name", KEPT)
def test_each_picture_is_shown_with_a_text_for_those_who_cannot_see_it(shown, name):
    assert len(shown[name]) > 40
