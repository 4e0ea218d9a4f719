"""Whether a bucket keeps versions: said and asked, no more."""

from __future__ import annotations

from localcloud.loopback import HttpReply
from localcloud.oss.buckets import Bucket
from localcloud.oss.wire import OssRequest, xml_reply
from localcloud.oss.writing import malformed, read_xml


def get_versioning(bucket: Bucket) -> HttpReply:
    """Answer GET `?versioning`; a bucket of which nothing was ever said has no status."""
    return xml_reply("VersioningConfiguration", {"Status": bucket.versioning} if bucket.versioning else {})


def put_versioning(bucket: Bucket, request: OssRequest) -> HttpReply:
    """Answer PUT `?versioning`."""
    status = read_xml(request.body).findtext("Status")
    if status not in ("Enabled", "Suspended"):
        raise malformed()
    bucket.set_versioning(status)
    return HttpReply(200)
