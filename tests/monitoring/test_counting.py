"""Events as Prometheus and OpenTelemetry count them, with the real packages."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fastsession import ConfigurationError, SessionStatus
from fastsession.events import EventKind
from fastsession.monitoring import opentelemetry_counter, prometheus_counter
from tests.shop import COOKIE, browser, shop

ROOT = Path(__file__).parent.parent.parent


class Prometheus:
    """The counts in what a Prometheus server would scrape."""

    def __init__(self):
        self.registry = CollectorRegistry()

    def listener(self):
        return prometheus_counter(self.registry)

    def samples(self):
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        found = [
            sample for family in families for sample in family.samples if sample.name == "fastsession_events_total"
        ]
        return [(sample.labels, sample.value) for sample in found]

    def counts(self):
        return {(labels["kind"], labels["status"]): value for labels, value in self.samples() if value}


class OpenTelemetry:
    """The counts in what OpenTelemetry's SDK would export."""

    def __init__(self):
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader])

    def listener(self):
        return opentelemetry_counter(self.provider)

    def samples(self):
        [resource] = self.reader.get_metrics_data().resource_metrics
        # The SDK may export metrics of its own.
        [scope] = [scope for scope in resource.scope_metrics if scope.scope.name == "fastsession"]
        [metric] = scope.metrics
        assert (metric.name, metric.unit) == ("fastsession.events", "{event}")
        return [(dict(point.attributes), point.value) for point in metric.data.data_points]

    def counts(self):
        return {
            (labels["fastsession.kind"], labels["fastsession.status"]): value
            for labels, value in self.samples()
            if value
        }


@pytest.fixture(params=[Prometheus, OpenTelemetry])
def metrics(request):
    return request.param()


def test_every_event_is_counted_by_its_kind_and_status(metrics, clock):
    client = browser(shop(clock=clock, on_event=metrics.listener()))
    client.post("/cart/tea")
    client.post("/cart/milk")
    client.post("/login")
    client.post("/logout")
    client.get("/cart", headers={"cookie": f"{COOKIE}=nonsense"})
    assert metrics.counts() == {
        ("created", "absent"): 1,
        ("saved", "valid"): 1,
        ("regenerated", "valid"): 1,
        ("destroyed", "valid"): 1,
        ("rejected", "malformed"): 1,
    }


def test_labels_are_kind_and_status_and_nothing_that_a_client_or_user_chose(metrics, clock):
    client = browser(shop(clock=clock, on_event=metrics.listener()))
    client.post("/login", headers={"user-agent": "chosen"})
    for number in range(50):
        client.get("/cart", headers={"cookie": f"{COOKIE}=nonsense{number}"})
        client.post(f"/cart/chosen{number}")
    kinds, statuses = set(EventKind), set(SessionStatus)
    for labels, _ in metrics.samples():
        kind, status = labels.values()
        assert kind in kinds
        assert status in statuses
    assert len(metrics.samples()) <= len(kinds) * len(statuses)


def test_warnings_are_there_with_zero_before_the_first_so_that_it_is_an_increase(metrics):
    metrics.listener()
    warnings = {kind for kind in EventKind if kind.level >= logging.WARNING}
    assert {tuple(labels.values()) for labels, value in metrics.samples() if value == 0} == {
        (kind, status) for kind in warnings for status in SessionStatus
    }


def test_several_middlewares_count_into_one_metric(metrics, clock):
    for _ in range(2):
        browser(shop(clock=clock, on_event=metrics.listener())).post("/cart/tea")
    assert metrics.counts() == {("created", "absent"): 2}


def test_a_second_registry_has_a_count_of_its_own():
    one, other = Prometheus(), Prometheus()
    browser(shop(on_event=[one.listener(), other.listener()])).post("/cart/tea")
    browser(shop(on_event=one.listener())).post("/cart/tea")
    assert (one.counts(), other.counts()) == ({("created", "absent"): 2}, {("created", "absent"): 1})


def test_the_global_registry_is_the_default():
    labels = {"kind": "created", "status": "absent"}
    listener = prometheus_counter()
    before = REGISTRY.get_sample_value("fastsession_events_total", labels) or 0
    browser(shop(on_event=listener)).post("/cart/tea")
    assert REGISTRY.get_sample_value("fastsession_events_total", labels) == before + 1


def test_a_global_provider_that_is_set_later_counts_from_then_on():
    """In a fresh process, because OpenTelemetry takes a global provider once."""
    program = (
        "from opentelemetry.metrics import set_meter_provider\n"
        "from fastsession.monitoring import opentelemetry_counter\n"
        "from tests.monitoring.test_counting import OpenTelemetry\n"
        "from tests.shop import browser, shop\n"
        "client = browser(shop(on_event=opentelemetry_counter()))\n"
        "client.post('/cart/tea')\n"
        "metrics = OpenTelemetry()\n"
        "set_meter_provider(metrics.provider)\n"
        "client.post('/cart/milk')\n"
        "assert metrics.counts() == {('saved', 'valid'): 1}, metrics.counts()\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_worker_processes_are_added_up_by_prometheus_clients_own_means(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    for expected in (1, 2):
        done = subprocess.run(
            [sys.executable, "-m", "tests.monitoring.worker"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert f'fastsession_events_total{{kind="rejected",status="malformed"}} {expected}.0' in done.stdout


@pytest.mark.parametrize(
    ("counter", "module", "advice"),
    [
        (prometheus_counter, "prometheus_client", r"prometheus-client: pip install 'fastsession-sealed\[prometheus\]'"),
        (
            opentelemetry_counter,
            "opentelemetry.metrics",
            r"opentelemetry-api: pip install 'fastsession-sealed\[opentelemetry\]'",
        ),
    ],
)
def test_without_its_package_the_message_names_the_extra(monkeypatch, counter, module, advice):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=advice):
        counter()


def test_importing_the_listeners_imports_neither_package():
    """Compared with before, because FastAPI itself may import one of them."""
    program = (
        "import sys, fastsession\n"
        "before = set(sys.modules)\n"
        "import fastsession.monitoring\n"
        "imported = sorted(sys.modules.keys() - before)\n"
        "assert all(name.startswith('fastsession.monitoring') for name in imported), imported\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
