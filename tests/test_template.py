"""`template.yml` is held against the code: what is declared exists, and what exists is declared."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from localcloud.template import FunctionSpec, read_template
from shared.kinds import KINDS, JobQuery
from shared.policy import Policy
from shared.tables import TABLES, Table

ROOT = Path(__file__).parent.parent
TEMPLATE = read_template(ROOT / "template.yml")
FUNCTIONS = sorted(TEMPLATE.functions.values(), key=lambda spec: spec.name)

# Names that ROS fills in by itself (function-compute.md 4a, "Pseudo params").
PSEUDO = {"ALIYUN::Region", "ALIYUN::TenantId"}
COLUMN_TYPES = {str: "STRING", int: "INTEGER", bytes: "BINARY"}

each_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def declared(table: Table) -> Any:
    """Give the properties under which the template declares a table."""
    tables: Any = TEMPLATE.resources("ALIYUN::OTS::Table").values()
    return next(one for one in tables if one["TableName"] == table.name)


def references(tree: object) -> set[str]:
    """Collect every name that a template tree refers to."""
    match tree:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)}
        case dict():
            return set().union(*map(references, tree.values()))
        case list():
            return set().union(*map(references, tree))
    return set()


def test_every_folder_of_functions_has_an_entry_and_every_entry_a_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}

    assert folders == set(TEMPLATE.functions)


@each_function
def test_a_handler_resolves_to_a_callable(spec: FunctionSpec) -> None:
    module, _, attribute = spec.handler.rpartition(".")

    assert callable(getattr(import_module(module), attribute))


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


@each_function
def test_variables_keep_to_the_platforms_rules(spec: FunctionSpec) -> None:
    # FC_* is reserved; letters, digits, underscores; 4 KB in all (function-compute.md 1.3).
    size = sum(len(name) + len(value) for name, value in spec.environment.items())

    assert [name for name in spec.environment if name.startswith(("FC_", "ALIBABA_CLOUD_"))] == []
    assert [name for name in spec.environment if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)] == []
    assert size <= 4096


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
def test_rows_expire_only_where_no_index_forbids_it(table: Table) -> None:
    properties = declared(table)

    # Tablestore refuses updates on a table with an index and expiry (tablestore-oss.md 1.1); left
    # out, ROS takes one second.
    assert "TimeToLive" in properties
    assert not table.indexes or properties["TimeToLive"] == -1
    assert properties["MaxVersions"] == 1


def test_what_is_kept_outlives_the_stack() -> None:
    resources: Any = TEMPLATE.tree["Resources"]
    kept = {
        name: one.get("DeletionPolicy")
        for name, one in resources.items()
        if one["Type"].startswith(("ALIYUN::OSS::", "ALIYUN::OTS::"))
    }

    assert set(kept) == {"Archive", "Ledger", "JobsTable", "InboxTable", "LeasesTable"}
    assert set(kept.values()) == {"Retain"}


def test_every_name_that_is_referred_to_exists() -> None:
    parameters: Any = TEMPLATE.tree["Parameters"]
    resources: Any = TEMPLATE.tree["Resources"]
    waited_for = {one["DependsOn"] for one in resources.values() if "DependsOn" in one}
    named = references(TEMPLATE.tree) | waited_for

    assert named - PSEUDO - set(parameters) - set(resources) == set()
    assert set(parameters) - named == set()


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


def test_no_policy_grants_more_than_named_actions() -> None:
    policies: Any = [role["Policies"] for role in TEMPLATE.resources("ALIYUN::RAM::Role").values()]
    actions = [
        action
        for role in policies
        for policy in role
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    ]

    assert actions
    assert [action for action in actions if "*" in action] == []


def test_the_role_grants_the_query_of_every_kind_and_no_other_call_of_these_products() -> None:
    calls = [kind.request(JobQuery("job", region="cn-shanghai", user_id="1")) for kind in KINDS.values()]
    text = (ROOT / "template.yml").read_text(encoding="utf-8")
    granted = set(re.findall(r"\b(?:vod|mts|ice):[A-Z]\w+", text))

    assert granted == {f"{call.product}:{call.action}" for call in calls}
