from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import alibabacloud_oss_v2 as oss
import pytest

from localcloud.cloud import BUCKET, INSTANCE, KEYS, REGION, LocalCloud
from shared.adapters.aliyun.tablestore_tables import create_tables, differences
from shared.tables import JOBS, TABLES
from tests.cli.conftest import Shell
from tests.localcloud.tablestore.worlds import connect


@pytest.fixture
def cloud(shell: Shell) -> Iterator[LocalCloud]:
    """Serve a cloud without tables, and point the shell at it."""
    with LocalCloud(shell.folder / "cloud", {"none": bytes}.__getitem__) as cloud:
        shell.env = cloud.environment()
        yield cloud


def test_a_folder_and_a_file_are_made_once(shell: Shell) -> None:
    first, again = (shell.json("init", "--json") for _ in range(2))

    root = shell.folder / "media-ledger-data"
    assert [one["where"] for one in first] == [f"file://{root}/archive", f"sqlite://{root}/ledger.db"]
    assert [one["made"] for one in first] == [["folder"], ["file"]]
    assert [one["made"] for one in again] == [[], []]
    assert shell.json("jobs", "--json")["jobs"] == []


def test_tables_and_indexes_are_made_once(shell: Shell, cloud: LocalCloud) -> None:
    first, again = (shell.json("init", "--json") for _ in range(2))

    named = {table.name for table in TABLES} | {index.name for table in TABLES for index in table.indexes}
    assert set(first[1]["made"]) == named
    assert [(one["made"], one["differences"]) for one in again] == [([], []), ([], [])]


def test_what_was_done_is_told_in_words(shell: Shell, cloud: LocalCloud) -> None:
    first, again = (shell.run("init").stdout for _ in range(2))

    assert "ledger ots://media-ledger: made jobs" in first
    assert "archive oss://media-ledger: is there, nothing to make" in first
    assert "ledger ots://media-ledger: is there, nothing to make" in again


def test_a_bucket_that_is_not_there_is_named(shell: Shell, cloud: LocalCloud) -> None:
    shell.env["LEDGER_OBJECTS"] = "oss://another-bucket"

    result = shell.run("init")

    assert result.exit_code == 2
    assert "check the bucket in LEDGER_OBJECTS" in result.stderr


def test_a_bucket_with_versioning_needs_a_person(shell: Shell, cloud: LocalCloud) -> None:
    client = oss.Client(
        oss.Config(
            region=REGION,
            endpoint=cloud.endpoints.oss,
            credentials_provider=oss.credentials.StaticCredentialsProvider(
                KEYS.access_key_id, KEYS.access_key_secret
            ),
        )
    )
    suspended = oss.VersioningConfiguration(status="Suspended")
    client.put_bucket_versioning(
        oss.PutBucketVersioningRequest(bucket=BUCKET, versioning_configuration=suspended)
    )

    result = shell.run("init")

    assert result.exit_code == 1
    assert "differs: bucket media-ledger has versioning" in result.stdout


def test_a_key_that_is_wrong_is_said(shell: Shell, cloud: LocalCloud) -> None:
    shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "canary-secret"

    result = shell.run("init")

    assert result.exit_code == 2
    assert "check the access key" in result.stderr
    assert "canary" not in result.output


def test_tables_that_were_not_made_are_told_with_the_command_that_makes_them(
    shell: Shell, cloud: LocalCloud
) -> None:
    result = shell.run("jobs")

    assert result.exit_code == 2
    assert "media-ledger init" in result.stderr


def test_tables_that_differ_need_a_person_and_are_left_as_they_are(shell: Shell, cloud: LocalCloud) -> None:
    another = replace(JOBS, key=("name",), indexes=())
    with closing(connect(cloud.endpoints.ots, name=INSTANCE, credentials=lambda: KEYS)) as instance:
        create_tables(instance, [another])

        told = shell.run("init")
        again = shell.run("init", "--json")

        assert differences(instance, [another]) == []
    assert (told.exit_code, again.exit_code) == (1, 1)
    assert "differs: table jobs has the key (name STRING), not (job_key STRING)" in told.stdout
    assert json.loads(again.stdout)[1]["differences"]
