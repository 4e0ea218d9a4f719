"""What OSS does for every request: signature, bucket, operation, and a body for every refusal."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.media.rendering import render
from localcloud.oss.buckets import Bucket
from localcloud.oss.faults import Faults
from localcloud.oss.listing import list_buckets, list_objects
from localcloud.oss.multipart import Uploads
from localcloud.oss.reading import get_object, head_object
from localcloud.oss.signatures import verify
from localcloud.oss.versioning import get_versioning, put_versioning
from localcloud.oss.wire import OssRequest, RefusedError
from localcloud.oss.writing import (
    append_object,
    copy_object,
    delete_object,
    delete_objects,
    no_such_bucket,
    put_object,
)
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock


class OssService:
    """Serves buckets by their names to the owners of `keys`.

    Keys with a token are temporary: the token must come with every request. `faults` is where things
    are planned to go wrong.
    """

    def __init__(
        self,
        buckets: Mapping[str, Bucket],
        *,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
        region: str = "cn-shanghai",
    ) -> None:
        self.faults = Faults()
        self._buckets = buckets
        self._keys: Mapping[str, Credentials] = {key.access_key_id: key for key in keys}
        self._clock = clock
        self._random = random
        self._region = region
        self._uploads = Uploads(random)

    def answer(self, http: HttpRequest) -> HttpReply | None:
        """Answer one request; a refusal is an answer too, and None hangs up."""
        fault = self.faults.take(http.method)
        if fault.meanwhile is not None:
            fault.meanwhile()
        request_id = f"{self._random.getrandbits(96):024X}"
        try:
            if fault.refusal is not None:
                raise fault.refusal
            request = OssRequest.of(fault.on_the_way(http))
            verify(request, self._keys, now=self._clock.now())
            reply = self._reply(request)
        except RefusedError as refused:
            reply = _refusal(refused, http, request_id)
        headers = {**reply.headers, "x-oss-request-id": request_id}
        return fault.spoil(HttpReply(reply.status, reply.body, headers))

    def _reply(self, request: OssRequest) -> HttpReply:
        if not request.bucket:
            host = request.headers.get("host", "")
            return list_buckets(self._buckets, region=self._region, host=host)
        bucket = self._buckets.get(request.bucket)
        if bucket is None:
            raise no_such_bucket(request.bucket)
        with bucket.changing:
            return self._on_object(bucket, request) if request.key else self._on_bucket(bucket, request)

    def _on_bucket(self, bucket: Bucket, request: OssRequest) -> HttpReply:
        if request.method == "GET" and "uploads" in request.query:
            return self._uploads.list_uploads(request)
        if request.method == "GET" and "versioning" in request.query:
            return get_versioning(bucket)
        if request.method == "PUT" and "versioning" in request.query:
            return put_versioning(bucket, request)
        if request.method == "GET":
            return list_objects(bucket.all(), request)
        if request.method == "POST" and "delete" in request.query:
            return delete_objects(bucket, request)
        raise _not_implemented()

    def _on_object(self, bucket: Bucket, request: OssRequest) -> HttpReply:
        now = self._clock.now()
        copies = "x-oss-copy-source" in request.headers
        if "uploadId" in request.query or "uploads" in request.query:
            return self._on_upload(bucket, request, now, copies=copies)
        if request.method == "GET":
            return get_object(bucket, request)
        if request.method == "HEAD":
            return head_object(bucket, request)
        if request.method == "PUT" and copies:
            return copy_object(bucket, request, buckets=self._buckets, now=now)
        if request.method == "PUT":
            return put_object(bucket, request, now=now)
        if request.method == "POST" and "append" in request.query:
            return append_object(bucket, request, now=now)
        if request.method == "DELETE":
            return delete_object(bucket, request)
        raise _not_implemented()

    def _on_upload(self, bucket: Bucket, request: OssRequest, now: int, *, copies: bool) -> HttpReply:
        if "uploads" in request.query:
            return self._uploads.initiate(request, now=now)
        if request.method == "PUT" and copies:
            return self._uploads.copy_part(request, buckets=self._buckets, now=now)
        if request.method == "PUT":
            return self._uploads.put_part(request, now=now)
        if request.method == "POST":
            return self._uploads.complete(bucket, request, now=now)
        if request.method == "GET":
            return self._uploads.list_parts(request)
        return self._uploads.abort(request)


def _refusal(refused: RefusedError, http: HttpRequest, request_id: str) -> HttpReply:
    body = render(
        {
            "Code": refused.code,
            "Message": refused.message,
            "RequestId": request_id,
            "HostId": http.headers.get("host", ""),
            **refused.told,
        },
        root="Error",
        answer_format="xml",
    )
    headers = {**refused.headers, "content-type": "application/xml"}
    if refused.status == 304:
        return HttpReply(304, b"", refused.headers)
    if http.method == "HEAD":
        # Where no body may be, a header carries it.
        return HttpReply(refused.status, b"", {**headers, "x-oss-err": base64.b64encode(body).decode()})
    return HttpReply(refused.status, body, headers)


def _not_implemented() -> RefusedError:
    return RefusedError(501, "NotImplemented", "This imitation of OSS does not do that.")
