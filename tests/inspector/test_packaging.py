"""The page, its style sheet and its script are installed with the package."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent.parent


def test_the_wheel_holds_the_inspectors_files(tmp_path):
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    folder = "fastsession/inspector"
    files = {"__init__.py", "page.html", "static/inspector.css", "static/inspector.js"}
    assert {f"{folder}/{name}" for name in files} <= set(names)
