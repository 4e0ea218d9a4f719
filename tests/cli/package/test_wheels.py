"""Where wheels come from: a folder of made-up distributions stands in for the package index."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from cli.package.errors import IndexUnreachableError, PackageError
from cli.package.pins import Pin
from cli.package.targets import HERE, PYTHON_3_10, PYTHON_3_12, Target
from cli.package.wheels import fetch

PURE = "from setuptools import setup; setup(name='aliyun-fc2', version='9', py_modules=['fc2'])"
# What setuptools takes for compiled, without a compiler.
COMPILED = """
from setuptools import Distribution, setup
class Compiled(Distribution):
    def has_ext_modules(self): return True
setup(name='aliyun-fc2', version='9', py_modules=['fc2'], distclass=Compiled)
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the one folder that pip looks into."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def pinned(name: str, version: str, file: Path) -> Pin:
    """Pin a file."""
    return Pin(name, version, (f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",))


def offer_wheel(index: Path, tag: str) -> Pin:
    """Put a wheel into the index."""
    file = index / f"toy-1.0-{tag}.whl"
    with ZipFile(file, "w") as written:
        written.writestr("toy.py", "")
        written.writestr("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
        written.writestr(
            "toy-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        written.writestr("toy-1.0.dist-info/RECORD", "")
    return pinned("toy", "1.0", file)


def offer_source(index: Path, setup: str) -> Pin:
    """Put a source distribution into the index."""
    file = index / "aliyun-fc2-9.tar.gz"
    information = "Metadata-Version: 2.1\nName: aliyun-fc2\nVersion: 9\n"
    with tarfile.open(file, "w:gz") as written:
        for name, text in {"setup.py": setup, "fc2.py": "", "PKG-INFO": information}.items():
            entry = tarfile.TarInfo(f"aliyun-fc2-9/{name}")
            entry.size = len(text)
            written.addfile(entry, io.BytesIO(text.encode()))
    return pinned("aliyun-fc2", "9", file)


def fetched(pin: Pin, target: Target, index: Path, **builders: Pin) -> list[str]:
    """Fetch one pin, and give the names of its wheels."""
    return [wheel.name for wheel in fetch([pin], target, builders=builders, cache=index.parent / "cache")]


@pytest.mark.parametrize("tag", ["cp310-cp310-manylinux_2_28_x86_64", "cp310-abi3-manylinux2014_x86_64"])
def test_a_wheel_is_the_runtimes_whatever_runs_here(index: Path, tag: str) -> None:
    assert fetched(offer_wheel(index, tag), PYTHON_3_10, index) == [f"toy-1.0-{tag}.whl"]


@pytest.mark.parametrize(
    "tag",
    ["cp310-cp310-manylinux_2_31_x86_64", "cp310-cp310-manylinux_2_28_aarch64", "cp312-cp312-linux_x86_64"],
)
def test_a_wheel_for_another_system_is_refused(index: Path, tag: str) -> None:
    with pytest.raises(PackageError, match=r"No matching distribution found for toy==1\.0"):
        fetched(offer_wheel(index, tag), PYTHON_3_10, index)


def test_a_file_with_another_hash_is_refused(index: Path) -> None:
    offer_wheel(index, "py3-none-any")

    with pytest.raises(PackageError, match="HASHES"):
        fetched(Pin("toy", "1.0", ("sha256:" + 64 * "0",)), HERE, index)


def test_what_was_fetched_is_not_fetched_again(index: Path) -> None:
    pin = offer_wheel(index, "py3-none-any")
    first = fetched(pin, PYTHON_3_12, index)
    (index / first[0]).unlink()

    assert fetched(pin, PYTHON_3_12, index) == first
    with pytest.raises(PackageError):
        fetched(pin, PYTHON_3_10, index)


def test_two_builds_at_once_have_the_same_wheels(index: Path) -> None:
    pin = offer_wheel(index, "py3-none-any")

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(fetched, pin, PYTHON_3_12, index) for _ in range(2)]
        found = [one.result() for one in both]

    assert found == [["toy-1.0-py3-none-any.whl"]] * 2
    assert len(list((index.parent / "cache").iterdir())) == 1


def test_a_pure_source_is_built_for_every_runtime(index: Path) -> None:
    pin = offer_source(index, PURE)
    builder = Pin("setuptools", version("setuptools"), ())

    assert fetched(pin, PYTHON_3_12, index, builder=builder) == ["aliyun_fc2-9-py3-none-any.whl"]


def test_a_source_that_is_compiled_here_is_refused(index: Path) -> None:
    with pytest.raises(PackageError, match="was compiled on this machine"):
        fetched(offer_source(index, COMPILED), PYTHON_3_12, index)

    assert list((index.parent / "cache").iterdir()) == []


@pytest.mark.parametrize("builder", ["setuptools", "nobody-has-this"])
def test_nothing_is_built_by_another_builder_than_is_pinned(index: Path, builder: str) -> None:
    other = Pin(builder, "0.1", ())

    with pytest.raises(
        PackageError, match=rf"{builder} 0\.1 builds aliyun-fc2, and is not what is installed"
    ):
        fetched(offer_source(index, PURE), PYTHON_3_12, index, other=other)


def test_an_index_that_does_not_answer_is_told_from_one_that_lacks_a_file(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")  # where nobody listens

    with pytest.raises(IndexUnreachableError):
        fetched(Pin("toy", "1.0", ("sha256:" + 64 * "0",)), HERE, index)
