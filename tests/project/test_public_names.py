"""The surface that others write against: a change here is a change for them."""

import inspect
import time
from datetime import timedelta

import fastsession
from fastsession import inspector, session_status, testing
from fastsession.events import EventKind

EMPTY = inspect.Parameter.empty


def test_the_package_exports_these_names_and_no_others():
    assert fastsession.__all__ == [
        "ConfigurationError",
        "CurrentSession",
        "DeviceBinding",
        "FastSessionError",
        "LateSessionChangeError",
        "Lifetime",
        "SameOrigin",
        "Session",
        "SessionControl",
        "SessionEntry",
        "SessionEvent",
        "SessionInfo",
        "SessionLimitError",
        "SessionMiddleware",
        "SessionNotSerializableError",
        "SessionStatus",
        "SessionTooLargeError",
        "SignedIn",
        "StoreUnavailableError",
        "closing_when_over",
        "control_of",
        "generate_key",
        "get_session",
        "get_session_control",
        "local_path",
        "recheck",
        "require",
        "same_origin",
        "session_of",
    ]
    assert all(hasattr(fastsession, name) for name in fastsession.__all__)


def test_the_middleware_takes_these_options_with_these_defaults():
    parameters = inspect.signature(fastsession.SessionMiddleware).parameters
    assert parameters["app"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    options = {name: parameter.default for name, parameter in parameters.items() if name != "app"}
    assert options == {
        "secret_key": EMPTY,
        "secret_key_fallbacks": (),
        "model": fastsession.Session,
        "session_cookie": "app_session",
        "path": "/",
        "domain": None,
        "same_site": "lax",
        "https_only": True,
        "partitioned": False,
        "idle_timeout": timedelta(minutes=30),
        "absolute_timeout": timedelta(hours=12),
        "renew_after": None,
        "remember": None,
        "max_cookies": 2,
        "audience": "",
        "binding": None,
        "device_binding": None,
        "format": None,
        "migrate_from": (),
        "store": None,
        "revocations": None,
        "store_outage": "unavailable",
        "max_sessions": None,
        "when_full": "evict",
        "not_before": None,
        "on_event": None,
        "clock": time.time,
    }
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in options)


def test_the_dependencies_are_called_like_this():
    assert list(inspect.signature(fastsession.get_session).parameters) == ["connection"]
    assert list(inspect.signature(fastsession.session_of).parameters) == ["model"]
    assert list(inspect.signature(fastsession.same_origin).parameters) == ["connection"]
    assert str(inspect.signature(fastsession.SameOrigin)) == "(trusted: 'Iterable[str]' = ()) -> 'None'"
    assert str(inspect.signature(fastsession.local_path)) == "(target: 'object', default: 'str' = '/') -> 'str'"
    assert {
        name: parameter.default for name, parameter in inspect.signature(fastsession.require).parameters.items()
    } == {
        "condition": EMPTY,
        "model_condition": None,
        "fresh": None,
        "bound": False,
        "status_code": 401,
        "model": None,
    }


def test_a_device_binding_is_made_like_this():
    parameters = inspect.signature(fastsession.DeviceBinding).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "lifetime": timedelta(minutes=10),
        "without_proof": "reject",
        "path": "/session/device",
        "exclude": (),
        "initiators": (),
    }
    assert parameters["lifetime"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in parameters if name != "lifetime")


def test_what_a_session_says_of_itself_is_this():
    assert list(fastsession.SessionInfo.__dataclass_fields__) == [
        "id",
        "created_at",
        "authenticated_at",
        "renewed_at",
        "expires_at",
        "is_new",
        "remembered",
        "status",
        "origin",
        "device_bound",
        "bound_until",
    ]


def test_the_events_are_a_closed_list():
    assert [str(kind) for kind in EventKind] == [
        "created",
        "saved",
        "renewed",
        "regenerated",
        "destroyed",
        "rejected",
        "revoked",
        "migrated",
        "late_change",
        "near_limit",
        "conflict",
        "unavailable",
        "bound",
        "refreshed",
        "proof_failed",
    ]


def test_the_verbs_take_nothing_but_remember_its_switch():
    session = fastsession.Session()
    verbs = {name: str(inspect.signature(getattr(session, name))) for name in ("regenerate", "destroy", "remember")}
    assert verbs == {
        "regenerate": "() -> 'None'",
        "destroy": "() -> 'None'",
        "remember": "(on: 'bool' = True) -> 'None'",
    }


def test_the_statuses_are_a_closed_list():
    assert [str(status) for status in fastsession.SessionStatus] == [
        "absent",
        "valid",
        "malformed",
        "oversize",
        "unknown_key",
        "forged",
        "expired_idle",
        "expired_absolute",
        "future",
        "revoked",
        "binding",
        "incompatible",
        "incomplete",
        "ambiguous",
        "store_down",
        "unbound",
    ]


def test_the_errors_have_one_root():
    errors = [name for name in fastsession.__all__ if name.endswith("Error")]
    assert len(errors) == 7
    assert all(issubclass(getattr(fastsession, name), fastsession.FastSessionError) for name in errors)


def test_the_testing_helpers_are_these():
    for sealing in (testing.sealed_cookies, testing.sealed_cookies_async):
        assert list(inspect.signature(sealing).parameters) == ["app", "session", "extras", "binding", "bound"]
    for setting in (testing.set_session, testing.set_session_async):
        assert list(inspect.signature(setting).parameters) == ["app", "client", "session", "extras", "binding", "bound"]
    for opening in (testing.opened_session, testing.opened_session_async):
        assert list(inspect.signature(opening).parameters) == ["app", "client_or_response", "model", "binding"]
    assert list(inspect.signature(testing.extras_of).parameters) == ["session"]
    assert list(inspect.signature(testing.Clock).parameters) == ["now"]


def test_the_inspector_has_to_be_switched_on():
    parameters = inspect.signature(inspector.SessionInspector).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {"enabled": False, "model": None}
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())


def test_the_status_router_is_made_like_this():
    parameters = inspect.signature(session_status.session_status_router).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "prefix": "/session",
        "signed_in": None,
        "warn_before": timedelta(minutes=2),
        "model": None,
    }


def test_the_package_says_its_version():
    assert fastsession.__version__.count(".") == 2
