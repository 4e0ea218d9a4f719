from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

WRONG = """\
ROSTemplateFormatVersion: '2015-09-01'
Resources:
  Archive:
    Type: ALIYUN::OSS::Bucket
    Properties:
      BucketNam: archive
      BucketName: archive
  Other:
    Type: ALIYUN::Quantum::Computer
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yml"
    path.write_text(WRONG)
    return path


def test_our_own_template_is_checked_where_none_is_named(shell: Shell) -> None:
    result = shell.run("lint-template")

    assert (result.exit_code, "template.yml: 0 mistakes, 0 notes" in result.stdout) == (0, True)


def test_a_mistake_is_told_with_its_line_its_path_and_the_right_word(shell: Shell, wrong: Path) -> None:
    result = shell.run("lint-template", str(wrong))

    path = "Resources.Archive.Properties.BucketNam"
    assert result.exit_code == 1
    assert f"{wrong}:6:7: error: {path}: there is no such property" in result.stdout
    assert "(did you mean BucketName?)" in result.stdout
    assert "1 mistakes, 1 notes" in result.stdout


def test_scripts_get_the_findings_and_where_the_definitions_come_from(shell: Shell, wrong: Path) -> None:
    result = shell.run("lint-template", str(wrong), "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["definitions"]["ros-cdk-oss"]
    assert [(one["line"], one["severity"], one["nearest"]) for one in told["findings"]] == [
        (6, "error", "BucketName"),
        (9, "note", None),
    ]


def test_notes_alone_fail_nothing(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "strange.yml"
    path.write_text(WRONG.replace("      BucketNam: archive\n", ""))

    assert shell.run("lint-template", str(path)).exit_code == 0


@pytest.mark.parametrize("content", [b"- 1\n", b"A: [\n", b"\xff\xfe\x00", None])
def test_what_cannot_be_read_is_wrong_use(content: bytes | None, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    if content is not None:
        path.write_bytes(content)

    result = shell.run("lint-template", str(path))

    assert (result.exit_code, "broken.yml" in result.stderr) == (2, True)
