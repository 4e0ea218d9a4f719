"""What of a wheel goes into a package."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from cli.package.contents import copy_own, is_deployed, unpack
from cli.package.errors import PackageError
from cli.package.targets import PYTHON_3_10, PYTHON_3_12


@pytest.mark.parametrize(
    "name",
    [
        "requests/api.py",
        "requests/py.typed",
        "certifi/cacert.pem",
        "crcmod/_crcfunext.abi3.so",
        "wrapt/_wrappers.cpython-310-x86_64-linux-gnu.so",
        "six.py",
        "testing/api.py",
        "requests-2.34.2.dist-info/METADATA",
        "requests-2.34.2.dist-info/licenses/LICENSE",
        "google_crc.dist-info/LICENCE.txt",
        "pydantic-2.14.3.dist-info/entry_points.txt",
    ],
)
def test_what_a_function_may_need_is_deployed(name: str) -> None:
    assert is_deployed(name, PYTHON_3_10)


@pytest.mark.parametrize(
    "name",
    [
        "tests/test_api.py",
        "websocket/tests/test_app.py",
        "wrapt/_wrappers.c",
        "wrapt/_wrappers.pyi",
        "wrapt/_wrappers.cpython-312-x86_64-linux-gnu.so",
        "tablestore/native/native_plainbuffer.cpython-313-darwin.so",
        "tablestore/ots_sdk/ots_sdk.so",
        "requests-2.34.2.dist-info/RECORD",
        "requests-2.34.2.dist-info/WHEEL",
        "websocket_client-1.9.2.data/scripts/wsdump",
    ],
)
def test_what_no_function_needs_stays_out(name: str) -> None:
    assert not is_deployed(name, PYTHON_3_10)


def wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    """Write something that is packed like a wheel."""
    with ZipFile(folder / name, "w") as written:
        for file, text in files.items():
            written.writestr(file, text)
    return folder / name


def test_wheels_are_laid_into_one_folder(tmp_path: Path) -> None:
    unpack(
        wheel(tmp_path, "a.whl", {"a/": "", "a/x.py": "1", "a/tests/t.py": "2"}), tmp_path / "c", PYTHON_3_12
    )
    unpack(wheel(tmp_path, "b.whl", {"b.py": "3"}), tmp_path / "c", PYTHON_3_12)

    found = {str(path.relative_to(tmp_path / "c")) for path in (tmp_path / "c").rglob("*.py")}
    assert found == {"a/x.py", "b.py"}


def test_two_wheels_with_one_file_are_refused(tmp_path: Path) -> None:
    unpack(wheel(tmp_path, "a.whl", {"a/x.py": "1"}), tmp_path / "c", PYTHON_3_12)

    with pytest.raises(PackageError, match=r"a/x\.py is in two wheels, one of which is b\.whl"):
        unpack(wheel(tmp_path, "b.whl", {"a/x.py": "1"}), tmp_path / "c", PYTHON_3_12)


def test_of_ours_modules_and_what_pages_are_made_of_are_deployed(tmp_path: Path) -> None:
    for name in (
        "shared/a.py",
        "shared/b/README.md",
        "shared/b/page.html",
        "shared/b/page.css",
        "shared/b/page.js",
        "shared/b/icon.svg",
        "shared/b/__pycache__/a.pyc",
        "cli/c.py",
        "functions/f/h.py",
    ):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")

    copy_own(tmp_path / "root", tmp_path / "code")

    found = {
        str(path.relative_to(tmp_path / "code")) for path in (tmp_path / "code").rglob("*") if path.is_file()
    }
    pages = {f"shared/b/{name}" for name in ("page.html", "page.css", "page.js", "icon.svg")}
    assert found == {"shared/a.py", "functions/f/h.py"} | pages
