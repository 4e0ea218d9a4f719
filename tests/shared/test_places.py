from __future__ import annotations

from collections.abc import Callable

import pytest

from shared import places
from shared.places import Bucket, EveryBucket, Fc2, Fc3, Folder, Inline, Instance, Network, SqliteFile
from shared.toolkit.masking import Masker

HERE = Network("cn-shanghai", is_internal=True, connect_ms=500, read_ms=1500)
QUERY = "region=cn-shanghai&network=internal&connect_ms=500&read_ms=1500"
ACCOUNT = "1000000000000001"


@pytest.mark.parametrize(
    ("read", "url", "place"),
    [
        (places.objects, "file:///var/a%20b", Folder("/var/a b")),
        (places.objects, "oss://media-ledger", Bucket("media-ledger")),
        (places.objects, "oss://media-ledger/a/b/", Bucket("media-ledger", "a/b")),
        (places.objects, f"oss://media-ledger?{QUERY}", Bucket("media-ledger", network=HERE)),
        (places.objects, "oss://bucket?encryption=AES256", Bucket("bucket", encryption="AES256")),
        (
            places.objects,
            "oss://bucket?encryption=KMS&kms_key=9468da86-3509",
            Bucket("bucket", encryption="KMS", kms_key="9468da86-3509"),
        ),
        (places.tables, "sqlite:///ledger.db", SqliteFile("/ledger.db")),
        (places.tables, f"ots://media-ledger?prefix=test_&{QUERY}", Instance("media-ledger", "test_", HERE)),
        (places.result_files, "file:///buckets", Folder("/buckets")),
        (places.result_files, "oss:?network=internal", EveryBucket(Network(is_internal=True))),
        (places.invoker, "inline:", Inline()),
        (places.invoker, "fc3:", Fc3()),
        (places.invoker, f"fc3:?prefix=media-ledger-&account={ACCOUNT}", Fc3("media-ledger-", ACCOUNT)),
        (places.invoker, f"fc2://media?{QUERY}", Fc2("media", network=HERE)),
    ],
)
def test_a_place_is_read_from_its_url(read: Callable[[str], object], url: str, place: object) -> None:
    assert read(url) == place


@pytest.mark.parametrize(
    ("read", "url", "told"),
    [
        (places.objects, "", "must look like file:///folder or oss://bucket"),
        (places.objects, "oss", "must look like"),
        (places.objects, "sqlite:///file", "must look like"),
        (places.objects, "oss://Bucket", "the bucket in lower case"),
        (places.objects, "oss://b", "must look like oss://"),
        (places.objects, "oss:///prefix", "must look like oss://"),
        (places.objects, "oss://bucket/a//b", "no empty parts"),
        (places.objects, "oss://bucket/a/../b", "no empty parts and no dots alone"),
        (
            places.objects,
            "oss://bucket?regoin=cn-shanghai",
            "unknown parameter 'regoin': known are encryption",
        ),
        (places.objects, "oss://bucket?region=Shanghai", "region must be a region such as cn-shanghai"),
        (places.objects, "oss://bucket?region=a&region=b", "a parameter is there twice"),
        (places.objects, "oss://bucket?network=vpc", "network must be internal or public, not 'vpc'"),
        (places.objects, "oss://bucket?read_ms=0", "read_ms must be milliseconds"),
        (places.objects, "oss://bucket?encryption=yes", "encryption must be AES256, KMS or SM4"),
        (places.objects, "oss://bucket?kms_key=a", "kms_key goes with encryption=KMS"),
        (places.objects, "file:///folder?region=cn-shanghai", "unknown parameter 'region': known are none"),
        (places.tables, "ots://my_ledger", "the instance's name of 3 to 16 characters"),
        (places.tables, "ots://instance?prefix=a-b", "prefix must be letters, digits and underscores"),
        (places.result_files, "oss://bucket", "the address of a file names its own"),
        (places.invoker, "inline:here", "must be inline: without anything"),
        (places.invoker, "fc3://service", "functions of FC 3.0 are in no service"),
        (places.invoker, "fc3:?prefix=1", "prefix must be how a function's name may begin"),
        (places.invoker, "fc2:", "must look like fc2://service"),
        (places.invoker, "fc2://a?account=me", "account must be the number of an account"),
    ],
)
def test_a_wrong_place_is_told_with_what_is_allowed(
    read: Callable[[str], object], url: str, told: str
) -> None:
    with pytest.raises(ValueError) as refused:
        read(url)

    assert told in str(refused.value)
    assert Masker().text(str(refused.value)) == str(refused.value)
