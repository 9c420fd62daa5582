"""One of several worker processes: counts a rejected cookie, and prints what the process exports."""

from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from fastsession.monitoring import prometheus_counter
from tests.shop import COOKIE, browser, shop


def main():
    browser(shop(on_event=prometheus_counter())).get("/cart", headers={"cookie": f"{COOKIE}=nonsense"})
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    print(generate_latest(registry).decode())


if __name__ == "__main__":
    main()
