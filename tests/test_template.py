"""`template.yml` is held against the code: what is declared exists, and what exists is declared."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from functions import instance
from localcloud.template import FunctionSpec, read_template
from shared import archive, bootstrap
from shared.attempts import RESERVE
from shared.console.access import COOKIE, ClosedAccess, TokenAccess
from shared.console_settings import ConsoleSettings
from shared.delivery.targets import Target
from shared.jobs import JobRef
from shared.places import Bucket, Fc3, Instance, Network
from shared.policy import SECOND, Policy
from shared.settings import Settings
from shared.tables import TABLES, Table
from shared.toolkit.strict_json import NumberText
from shared.webhook_settings import WebhookSettings
from tests.console import JWKS
from tests.stack import Stack

ROOT = Path(__file__).parent.parent
JOB = JobRef("vod.media_audit", "job-1")
TEMPLATE = read_template(ROOT / "template.yml")
FUNCTIONS = sorted(TEMPLATE.functions.values(), key=lambda spec: spec.name)

NEEDED = {"CodeBucket": "code", "CodeKey": "1.zip", "ArchiveBucket": "archive"}
STACK = Stack(TEMPLATE, **NEEDED)
PLAN = {
    "targets": {
        "publisher": {"url": "https://publisher.example/events"},
        "desk": {"url": "mns://queue/desk"},
    },
    "rules": [{"to": ["publisher", "desk"]}],
}
FULL = Stack(
    TEMPLATE,
    **NEEDED,
    CallRates="vod=30,ice=20",
    Outputs="mts.video_quality=oss://results.oss-cn-shanghai.aliyuncs.com/quality/",
    VideoQualitySources="quality-callbacks",
    VideoQualityPipelines="1f0c2a9e6b1d4c7f",
    AccountRoles="acs:ram::2000000000000002:role/media-ledger",
    Delivery=json.dumps(PLAN),
    DeliveryKeys='{"publisher": ["a-key-of-the-publisher"]}',
)
COLUMN_TYPES = {str: "STRING", int: "INTEGER", bytes: "BINARY"}

each_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def environment(stack: Stack, spec: FunctionSpec) -> dict[str, str]:
    """Give the variables that a function of a stack has."""
    return {name: str(value) for name, value in properties_of(stack, spec)["EnvironmentVariables"].items()}


def properties_of(stack: Stack, spec: FunctionSpec) -> Any:
    """Give the properties of a function of a stack."""
    (own,) = [
        one for one in stack.of_type("ALIYUN::FC3::Function").values() if one["Handler"] == spec.handler
    ]
    return own


def declared(table: Table) -> Any:
    """Give the properties under which the template declares a table."""
    tables: Any = TEMPLATE.resources("ALIYUN::OTS::Table").values()
    return next(one for one in tables if one["TableName"] == table.name)


def test_every_folder_of_functions_has_an_entry_and_every_entry_a_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}

    assert folders == set(TEMPLATE.functions)


@each_function
def test_a_handler_resolves_to_a_callable(spec: FunctionSpec) -> None:
    module, _, attribute = spec.handler.rpartition(".")

    assert callable(getattr(import_module(module), attribute))


@each_function
def test_instances_of_a_function_start_and_end_with_the_hooks(spec: FunctionSpec) -> None:
    lifecycle = properties_of(STACK, spec)["InstanceLifecycleConfig"]

    assert {name: hook["Handler"] for name, hook in lifecycle.items()} == {
        "Initializer": f"{instance.__name__}.{instance.initialize.__name__}",
        "PreStop": f"{instance.__name__}.{instance.pre_stop.__name__}",
    }


@each_function
def test_a_function_has_sample_events(spec: FunctionSpec) -> None:
    samples = [path for path in (ROOT / "events" / spec.name).iterdir() if path.is_file()]

    assert samples


@each_function
def test_a_function_is_named_after_its_folder(spec: FunctionSpec) -> None:
    names: list[Any] = [
        properties["FunctionName"]
        for properties in TEMPLATE.resources("ALIYUN::FC3::Function").values()
        if properties["Handler"] == spec.handler
    ]

    assert names == [{"Fn::Sub": f"${{Name}}-{spec.name}"}]


def aliases(settings: type[BaseModel]) -> set[str]:
    """Give the variables that are read."""
    return {str(field.alias) for field in settings.model_fields.values()}


@each_function
@pytest.mark.parametrize("stack", [STACK, FULL], ids=["defaults", "everything set"])
def test_a_function_starts_with_the_variables_that_it_is_given(spec: FunctionSpec, stack: Stack) -> None:
    variables = environment(stack, spec)
    settings, _ = Settings.read(variables), WebhookSettings.read(variables)
    services = bootstrap.build(settings)
    bootstrap.close(services)
    ConsoleSettings.read(variables)
    own: dict[str, type[BaseModel]] = {"webhook": WebhookSettings, "console": ConsoleSettings}

    assert set(variables) <= aliases(Settings) | (aliases(own[spec.name]) if spec.name in own else set())
    assert settings.objects == Bucket("archive", network=Network(is_internal=True))
    assert settings.tables == Instance("media-ledger", network=Network(is_internal=True))
    assert sum(len(name) + len(value) for name, value in variables.items()) <= 4096


def test_whoever_settles_has_the_same_settings() -> None:
    callback, reconcile = (environment(FULL, TEMPLATE.functions[name]) for name in ("callback", "reconcile"))

    assert reconcile == {**callback, "LEDGER_FAN_OUT_AT": "5000"}


def test_invocations_go_to_the_functions_of_this_stack() -> None:
    names = {one["FunctionName"] for one in STACK.of_type("ALIYUN::FC3::Function").values()}
    places = [Settings.read(environment(STACK, spec)).invoker for spec in FUNCTIONS if spec.name != "track"]

    assert {
        place.prefix + spec.name for place in places if isinstance(place, Fc3) for spec in FUNCTIONS
    } == names


def test_only_who_delivers_has_the_keys_of_deliveries() -> None:
    keyed = {spec.name for spec in FUNCTIONS if environment(FULL, spec).get("LEDGER_DELIVERY_KEYS")}

    assert keyed == {"deliver"}


def test_the_settings_that_a_shell_gets_are_those_of_the_functions() -> None:
    told = dict(re.findall(r"^export (\w+)='([^']*)'$", STACK.outputs()["Settings"], re.MULTILINE))
    settings = Settings.read(told)
    queues = STACK.of_type("ALIYUN::MNS::Queue")

    assert (settings.objects, settings.tables) == (Bucket("archive"), Instance("media-ledger"))
    assert settings.invoker == Settings.read(environment(STACK, TEMPLATE.functions["callback"])).invoker
    assert settings.mns == STACK.outputs()["MnsEndpoint"]
    assert settings.dead_letters == {queues["DeadLetterQueue"]["QueueName"]}


@pytest.mark.parametrize("name", ["CallbackQueue", "IceCallbackQueue"])
def test_queues_are_as_the_vendors_demand(name: str) -> None:
    queue = STACK.properties(name)

    # VOD's advice (media-jobs.md 1.1), and ICE's rule for names (media-jobs.md 1.3).
    assert queue["MaximumMessageSize"] == 65536
    assert queue["MessageRetentionPeriod"] >= 3600
    assert queue["QueueName"].startswith("ice-callback-") == (name == "IceCallbackQueue")


def test_every_queue_of_callbacks_is_read_and_what_fails_is_kept() -> None:
    triggers = [
        one for one in STACK.of_type("ALIYUN::FC3::Trigger").values() if one["TriggerType"] == "eventbridge"
    ]
    sources = [one["TriggerConfig"]["eventSourceConfig"]["eventSourceParameters"] for one in triggers]
    dead = [one["TriggerConfig"]["runOptions"]["deadLetterQueue"]["Arn"] for one in triggers]
    queues = {name: one["QueueName"] for name, one in STACK.of_type("ALIYUN::MNS::Queue").items()}
    dead_letters = queues.pop("DeadLetterQueue")

    assert sorted(one["sourceMNSParameters"]["QueueName"] for one in sources) == sorted(queues.values())
    assert {arn.rpartition("/")[2] for arn in dead} == {dead_letters}


def test_the_archive_is_closed_encrypted_and_keeps_no_versions() -> None:
    (bucket,) = STACK.of_type("ALIYUN::OSS::Bucket").values()

    assert (bucket["AccessControl"], bucket["BlockPublicAccess"]) == ("private", True)
    assert bucket["ServerSideEncryptionConfiguration"]["SSEAlgorithm"] == "AES256"
    # Versioning, suspended too, lets a write that must not replace do so (tablestore-oss.md 2).
    assert "VersioningConfiguration" not in bucket


def test_only_what_serves_a_person_for_a_while_expires() -> None:
    (bucket,) = STACK.of_type("ALIYUN::OSS::Bucket").values()
    rules = {one["Prefix"]: one["Expiration"]["Days"] for one in bucket["LifecycleConfiguration"]["Rule"]}

    assert rules == {"quarantine/": 365, "evidence/": 1095, "reports/": 365}
    assert archive.manifest_key(JOB).startswith("evidence/")
    assert not archive.held_key(JOB, archive.manifest_key(JOB)).startswith(tuple(rules))
    assert archive.quarantine_key(b"", 0).startswith("quarantine/")
    assert archive.report_key("2025-11-20", "run", "json").startswith("reports/")
    assert rules["quarantine/"] * 86400 >= STACK.properties("InboxTable")["TimeToLive"]


def test_the_template_declares_exactly_the_tables_of_the_ledger() -> None:
    tables = TEMPLATE.resources("ALIYUN::OTS::Table").values()

    assert sorted(str(one["TableName"]) for one in tables) == sorted(table.name for table in TABLES)


@each_table
def test_a_table_has_the_key_of_the_ledger(table: Table) -> None:
    # All key columns are text: `shared.tables.Key`.
    assert declared(table)["PrimaryKey"] == [{"Name": name, "Type": "STRING"} for name in table.key]


@each_table
def test_a_table_has_the_indexes_of_the_ledger(table: Table) -> None:
    indexes = [
        {
            "IndexName": index.name,
            "IndexType": "Global",
            "PrimaryKeys": list(index.columns),
            "Columns": list(index.covers),
        }
        for index in table.indexes
    ]

    assert declared(table).get("SecondaryIndices", []) == indexes


@each_table
def test_a_table_declares_the_columns_that_its_indexes_use(table: Table) -> None:
    used = {name for index in table.indexes for name in (*index.columns, *index.covers)}
    columns = {column["Name"]: column["Type"] for column in declared(table).get("Columns", [])}

    assert columns == {name: COLUMN_TYPES[table.columns[name]] for name in used}


@each_table
def test_rows_expire_only_where_they_may(table: Table) -> None:
    properties = declared(table)

    # Left out, ROS takes one second.
    assert "TimeToLive" in properties
    assert table.may_expire or properties["TimeToLive"] == -1
    assert properties["MaxVersions"] == 1


def test_what_is_kept_outlives_the_stack() -> None:
    resources: Any = TEMPLATE.tree["Resources"]
    kept = {
        name: one.get("DeletionPolicy")
        for name, one in resources.items()
        if one["Type"].startswith(("ALIYUN::OSS::", "ALIYUN::OTS::"))
    }

    assert set(kept) == {
        "Archive",
        "Ledger",
        "JobsTable",
        "InboxTable",
        "EvidenceTable",
        "LookupsTable",
        "LeasesTable",
    }
    assert set(kept.values()) == {"Retain"}


def test_as_many_instances_as_share_the_calls_are_reserved() -> None:
    parameters: Any = TEMPLATE.tree["Parameters"]
    configs: Any = TEMPLATE.resources("ALIYUN::FC3::ConcurrencyConfig").values()
    reserved = {one["FunctionName"]["Fn::GetAtt"][0]: one["ReservedConcurrency"] for one in configs}
    by_name = reserved["ReconcileFunction"]

    # A run and its shards fit in, too.
    assert by_name == Policy().shards + 1
    assert reserved["CallbackFunction"] == {
        "Fn::Calculate": [f"{{0}} - {by_name}", 0, [{"Ref": "CallbackInstances"}]]
    }
    assert parameters["CallbackInstances"]["MinValue"] > by_name


def test_what_is_reserved_leaves_instances_to_the_others() -> None:
    reserved = [
        one["ReservedConcurrency"] for one in STACK.of_type("ALIYUN::FC3::ConcurrencyConfig").values()
    ]

    # Of the 100 that an account has in a region (function-compute.md 1.5).
    assert sum(reserved) <= 75


def test_topic_messages_bring_their_ids_and_are_tried_for_a_day() -> None:
    (topic,) = [
        one["TriggerConfig"]
        for one in STACK.of_type("ALIYUN::FC3::Trigger").values()
        if one["TriggerType"] == "mns_topic"
    ]

    assert topic == {"notifyContentFormat": "JSON", "notifyStrategy": "EXPONENTIAL_DECAY_RETRY"}


def test_who_announces_over_http_signs_for_a_right_to_invoke() -> None:
    trigger = STACK.properties("TrackFromHttp")["TriggerConfig"]

    assert (trigger["authType"], trigger["methods"]) == ("function", ["POST"])


def test_there_is_a_way_into_the_console_for_tokens_of_ones_own_keys_alone() -> None:
    open_stack = Stack(TEMPLATE, **NEEDED, ConsoleJwks=JWKS)
    trigger = open_stack.properties("ConsoleFromHttp")["TriggerConfig"]
    config = json.loads(trigger["authConfig"])

    assert "ConsoleFromHttp" not in STACK.of_type("ALIYUN::FC3::Trigger")
    assert "ConsoleFromHttp" in open_stack.of_type("ALIYUN::FC3::Trigger")
    assert (trigger["authType"], trigger["methods"]) == ("jwt", ["GET", "HEAD"])
    assert config["jwks"] == json.loads(JWKS)
    assert config["tokenLookup"].split(",") == ["header:Authorization:Bearer ", f"cookie:{COOKIE}"]
    assert config.keys() == {"jwks", "tokenLookup"}  # no path does without a token


def test_the_console_has_the_keys_of_its_parameter_and_lets_nobody_in_without_any() -> None:
    spec = TEMPLATE.functions["console"]
    variables = environment(Stack(TEMPLATE, **NEEDED, ConsoleJwks=JWKS), spec)

    assert isinstance(ConsoleSettings.read(variables).access(), TokenAccess)
    assert isinstance(ConsoleSettings.read(environment(STACK, spec)).access(), ClosedAccess)


@pytest.mark.parametrize("name", ["Delivery", "DeliveryKeys"])
def test_parameters_that_may_hold_a_secret_are_not_shown(name: str) -> None:
    parameters: Any = TEMPLATE.tree["Parameters"]

    assert parameters[name]["NoEcho"] is True


def test_the_longest_time_limit_of_a_target_fits_into_an_invocation() -> None:
    limit_s = TEMPLATE.functions["deliver"].timeout - RESERVE // SECOND - 5
    too_long: Any = {"url": "fc:next", "timeout_seconds": NumberText(str(limit_s))}

    with pytest.raises(ValueError, match="timeout_seconds"):
        Target.parse("next", too_long)
