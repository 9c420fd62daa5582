"""Import modules and print where one takes the time while it is imported: `python -m tests.clock_at_import FOLDER...`.

A time taken then is as old as the collection of the tests when it is used.
"""

import datetime as dt
import importlib.util
import sys
import time
from pathlib import Path

# What tells the time. `perf_counter` and `process_time` measure durations, and have no meaning as moments.
CLOCKS = {time.time, time.time_ns, time.monotonic, time.monotonic_ns, time.localtime, time.gmtime}
CLASSES = (dt.datetime, dt.date)
METHODS = {"now", "utcnow", "today"}


def main(*folders):
    folders = [Path(folder).resolve() for folder in folders]
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            # A `__main__.py` runs what it is there for, and typing_tests are for type checkers: neither is imported.
            if path.name != "__main__.py" and path.parent.name != "typing_tests":
                found += times_taken_in(path, folders)
    print("\n".join(sorted(set(found))))


def times_taken_in(path, folders):
    """Where the module, or what it calls on the way, takes the time."""
    found = []

    def watch(frame, event, function):
        if event == "c_call" and tells_the_time(function):
            found.extend(place(frame, folders))

    specification = importlib.util.spec_from_file_location(f"imported_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    sys.setprofile(watch)
    try:
        specification.loader.exec_module(module)
    except (ModuleNotFoundError, KeyError) as error:
        # A package of another dependency group, such as the soak's; or an application that its environment configures.
        print(f"{path}: {error}", file=sys.stderr)
    finally:
        sys.setprofile(None)
    return found


def tells_the_time(function):
    # Methods of a class are made anew each time they are looked up.
    owner = getattr(function, "__self__", None)
    return function in CLOCKS or (
        isinstance(owner, type) and issubclass(owner, CLASSES) and function.__name__ in METHODS
    )


def place(frame, folders):
    """The line in the folders that is being imported and has led to the frame, if there is one."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        path = Path(frame.f_code.co_filename)
        if path.parent.name == "logging":
            # The time of a warning.
            return []
        if path.is_absolute() and any(path.is_relative_to(folder) for folder in folders):
            return [f"{path}:{frame.f_lineno}"]
        frame = frame.f_back
    return []


if __name__ == "__main__":
    main(*sys.argv[1:])
