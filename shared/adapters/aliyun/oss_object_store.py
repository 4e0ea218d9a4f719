"""An object store in a bucket of OSS, below a prefix.

OSS has no compare-and-swap: a write that must not replace is refused by the vendor (409), which
versioning switches off (tablestore-oss.md 2): a bucket that keeps versions is no archive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from shared.adapters.aliyun.oss_bodies import OssObject
from shared.adapters.aliyun.oss_checksums import checksums
from shared.adapters.aliyun.oss_client import OssClient
from shared.adapters.aliyun.oss_reads import read_chunks, read_head, read_info, read_object
from shared.adapters.object_keys import MAX_KEY_BYTES, segments
from shared.errors import ObjectNotFoundError
from shared.ports import ObjectInfo

LONGEST_LINK_S = 7 * 24 * 3600  # tablestore-oss.md 2
_PAGE = 1_000
# Both say that an object stands there which must stay: tablestore-oss.md 5, archive keys.
_STANDS_THERE = ("FileAlreadyExists", "FileImmutable")
# The metadata by which a write whose answer was lost knows itself again.
_PUT_ID = "ledger-put"


@dataclass(frozen=True)
class OssEncryption:
    """How OSS is told to encrypt what it stores: `AES256`, `KMS` or `SM4`, and which key of KMS."""

    algorithm: str
    key_id: str | None = None


class OssObjectStore:
    """Keeps objects in `bucket`, below `prefix`, which counts towards the longest key.

    `encryption` is asked for with every write; without it the bucket's own rule holds.
    """

    def __init__(
        self, client: OssClient, bucket: str, *, prefix: str = "", encryption: OssEncryption | None = None
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = "".join(f"{part}/" for part in segments(prefix)) if prefix else ""
        self._encryption = encryption

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store the object, replacing what stood there."""
        write = _Write(self._at(key), body, content_type, self._encryption)
        self._client.run(write.replace, key=key, writes=True)

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Store the object if none stands there; tell whether this call stored it."""
        return self._put_new(key, body, content_type)

    def put_file(self, key: str, file: BinaryIO, *, content_type: str) -> bool:
        """Store what a file holds if no object stands there; tell whether this call stored it."""
        return self._put_new(key, file, content_type)

    def get(self, key: str) -> bytes:
        """Read the whole object; raise `ObjectNotFoundError` when there is none."""
        return read_object(self._client, self._at(key))

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, which is left out, piece by piece.

        The call is tried again until it is answered; a body that is cut is not.
        """
        return read_chunks(self._client, self._at(key), start=start, end=end)

    def info(self, key: str) -> ObjectInfo:
        """Tell what is known of an object; raise `ObjectNotFoundError` when there is none."""
        return read_info(self._client, self._at(key))

    def has(self, key: str) -> bool:
        """Tell whether an object stands under the key."""
        try:
            self.info(key)
        except ObjectNotFoundError:
            return False
        return True

    def keys(self, folder: str) -> Iterator[str]:
        """Give every key below a folder, in ascending order; each page is a call."""
        import alibabacloud_oss_v2 as oss

        request = oss.ListObjectsV2Request(
            bucket=self._bucket, prefix=f"{self._at(folder).name}/", max_keys=_PAGE
        )
        while True:
            page = self._client.run(lambda client: client.list_objects_v2(request), key=folder)
            names = [entry.key.removeprefix(self._prefix) for entry in page.contents or ()]
            yield from (name for name in names if _is_key(name))
            if not page.is_truncated:
                return
            request.continuation_token = page.next_continuation_token

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """Give a signed address; raise `ValueError` for a time that no signature can have.

        With temporary credentials it ends with their token, whatever `seconds` says.
        """
        import alibabacloud_oss_v2 as oss

        if not 1 <= seconds <= LONGEST_LINK_S:
            raise ValueError(f"a link lives from 1 to {LONGEST_LINK_S} seconds, not {seconds}")
        disposition = None if saved_as is None else f'attachment; filename="{saved_as}"'
        request = oss.GetObjectRequest(
            bucket=self._bucket, key=self._at(key).name, response_content_disposition=disposition
        )
        expires = timedelta(seconds=seconds)
        url: str = self._client.run(lambda client: client.presign(request, expires=expires), key=key).url
        return url

    def remove(self, key: str) -> None:
        """Take the object away, if there is one."""
        import alibabacloud_oss_v2 as oss

        request = oss.DeleteObjectRequest(bucket=self._bucket, key=self._at(key).name)
        self._client.run(lambda client: client.delete_object(request), key=key, writes=True)

    def ignores_put_new(self) -> bool:
        """Tell whether OSS lets `put_new` replace: it does where versions are kept, or ever were."""
        import alibabacloud_oss_v2 as oss

        request = oss.GetBucketVersioningRequest(bucket=self._bucket)
        found = self._client.run(lambda client: client.get_bucket_versioning(request), key="?versioning")
        return bool(found.version_status)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _put_new(self, key: str, body: bytes | BinaryIO, content_type: str) -> bool:
        write = _Write(self._at(key), body, content_type, self._encryption, self._client.new_id())
        return self._client.run(write.put_new, key=key, writes=True)

    def _at(self, key: str) -> OssObject:
        segments(key)
        name = self._prefix + key
        if len(name.encode()) > MAX_KEY_BYTES:
            raise ValueError(
                f"an object key has at most {MAX_KEY_BYTES} bytes with its prefix: {key[:100]!r}"
            )
        return OssObject(self._bucket, name, key)


class _Write:
    """One object on its way, however many tries it takes."""

    def __init__(
        self,
        place: OssObject,
        body: bytes | BinaryIO,
        content_type: str,
        encryption: OssEncryption | None,
        put_id: str | None = None,
    ) -> None:
        self._place = place
        self._body = body
        self._content_type = content_type
        self._encryption = encryption
        self._put_id = put_id
        self._sums = checksums(body)
        self._tries = 0
        self._stands_damaged = False

    def replace(self, client: Any) -> None:
        """Put the object over whatever stands there."""
        self._put(client, forbid_overwrite=None)

    def put_new(self, client: Any) -> bool:
        """Put the object if none stands there; tell whether this try or one before it has."""
        from alibabacloud_oss_v2.exceptions import InconsistentError, OperationError

        self._tries += 1
        try:
            # What stands there damaged is ours: no other try could put it, and this one may replace it.
            self._put(client, forbid_overwrite=not self._stands_damaged)
        except OperationError as error:
            failed = error.unwrap()
            self._stands_damaged |= isinstance(failed, InconsistentError)
            if getattr(failed, "code", None) not in _STANDS_THERE:
                raise
            # A try before this one may have put it without being heard.
            return self._tries > 1 and self._is_ours(client)
        return True

    def _put(self, client: Any, *, forbid_overwrite: bool | None) -> None:
        """Put; raise what the client would that is told not to look, when something else stands there."""
        from alibabacloud_oss_v2.exceptions import InconsistentError, OperationError

        told = client.put_object(self._request(forbid_overwrite=forbid_overwrite)).hash_crc64
        if told not in (None, self._sums.crc64):
            differs = InconsistentError(client_crc=self._sums.crc64, server_crc=told)
            raise OperationError(name="PutObject", error=differs)

    def _is_ours(self, client: Any) -> bool:
        metadata = read_head(client, self._place).metadata or {}
        return bool(metadata.get(_PUT_ID) == self._put_id)

    def _request(self, *, forbid_overwrite: bool | None) -> Any:
        import alibabacloud_oss_v2 as oss

        if not isinstance(self._body, bytes):
            self._body.seek(0)
        encryption = self._encryption
        return oss.PutObjectRequest(
            bucket=self._place.bucket,
            key=self._place.name,
            body=self._body,
            content_type=self._content_type,
            content_md5=self._sums.md5,
            forbid_overwrite=forbid_overwrite,
            metadata={_PUT_ID: self._put_id} if self._put_id else None,
            server_side_encryption=encryption.algorithm if encryption else None,
            server_side_encryption_key_id=encryption.key_id if encryption else None,
        )


def _is_key(name: str) -> bool:
    """Tell whether a listed name could be a key: a bucket may hold names that somebody else made."""
    try:
        segments(name)
    except ValueError:
        return False
    return True
