"""What a run was made on."""

import os
import platform
import re
from pathlib import Path


def machine() -> str:
    """The machine, in few words."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    processor = found[1] if found else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, {platform.python_implementation()} {platform.python_version()}"
