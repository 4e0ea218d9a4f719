from __future__ import annotations

from types import SimpleNamespace

import pytest

from shared.toolkit import Credentials, InvocationContext, MisconfiguredError, fake_context

KEYS = Credentials("an-id", "a-secret-value", "a-token-value")
ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "an-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "a-secret-value",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "a-token-value",
}


def test_both_shapes_give_the_same_view() -> None:
    of_310 = InvocationContext.of(fake_context(credentials=KEYS), started_ms=5, environ={})
    of_312 = InvocationContext.of(fake_context(shape="3.12"), started_ms=5, environ=ENVIRONMENT)

    members = [name for name in dir(InvocationContext) if not name.startswith("_")]
    views = [{n: v for n in members if not callable(v := getattr(c, n))} for c in (of_310, of_312)]

    assert views[0] == views[1]
    assert (of_310.timeout_s, of_310.memory_mb, of_310.qualifier) == (60, 512, "LATEST")
    assert of_310.credentials == KEYS


def test_the_shapes_differ_as_the_runtimes_do() -> None:
    of_310, of_312 = fake_context(shape="3.10"), fake_context(shape="3.12")

    assert of_310.function.timeout == "60"  # type: ignore[attr-defined]
    assert of_312.function.timeout == 60  # type: ignore[attr-defined]
    assert not hasattr(of_312, "credentials")
    assert not hasattr(of_312, "service")


def test_log_fields_come_from_the_service_or_from_the_top() -> None:
    function = SimpleNamespace(name="f", handler="h", memory=128, timeout=3)
    logs = SimpleNamespace(log_project="p", log_store="s", qualifier="q", version_id="7")
    of_310 = SimpleNamespace(request_id="r", function=function, service=logs)
    of_312 = SimpleNamespace(request_id="r", function=function, log_project="p", log_store="s")

    old = InvocationContext.of(of_310, started_ms=0, environ={})
    new = InvocationContext.of(of_312, started_ms=0, environ={})

    assert (old.log_project, old.log_store, old.qualifier, old.version) == ("p", "s", "q", "7")
    assert (new.log_project, new.log_store, new.qualifier, new.version) == ("p", "s", None, None)


def test_the_time_left_ends_at_the_deadline() -> None:
    context = InvocationContext.of(fake_context(timeout_s=3), started_ms=1_000, environ={})

    assert context.deadline_ms == 4_000
    assert [context.remaining_ms(now) for now in (1_000, 3_999, 4_000, 9_000)] == [3_000, 1, 0, 0]


def test_keys_are_not_in_any_repr() -> None:
    context = InvocationContext.of(fake_context(credentials=KEYS), started_ms=0, environ={})

    assert "a-secret-value" not in repr(context) + repr(context.credentials)
    assert "a-token-value" not in repr(context) + repr(context.credentials)
    assert context.secrets == ("a-secret-value", "a-token-value")


def test_a_function_without_a_role_has_no_credentials() -> None:
    context = InvocationContext.of(fake_context(), started_ms=0, environ={})

    assert context.credentials is None
    assert context.secrets == ()


@pytest.mark.parametrize("timeout", [None, "", "soon", "0", -1, True, "1" * 400])
def test_a_context_without_a_usable_timeout_is_a_misconfiguration(timeout: object) -> None:
    raw = SimpleNamespace(request_id="r", function=SimpleNamespace(name="f", timeout=timeout))

    with pytest.raises(MisconfiguredError, match="timeout"):
        InvocationContext.of(raw, started_ms=0, environ={})


def test_an_account_id_may_come_as_a_number() -> None:
    raw = SimpleNamespace(account_id=1234567890123456, function=SimpleNamespace(timeout="3"))

    context = InvocationContext.of(raw, started_ms=0, environ={})

    assert context.account_id == "1234567890123456"
    assert context.request_id == ""
