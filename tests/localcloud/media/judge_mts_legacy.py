"""Ask the local media API with the vendor's first generation of clients; print what came, as JSON.

Runs in the environment of requirements/vendor-legacy.in, started by
test_video_quality_judged_by_the_vendor.py. This client signs with RPC 1.0 alone, asks for JSON alone and
hands over the bytes of the answer. Arguments: the host and port of the API, the id of a review that is
answered with the page's sample, its user.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from aliyunsdkcore.acs_exception.exceptions import ServerException  # type: ignore[import-not-found]
from aliyunsdkcore.client import AcsClient  # type: ignore[import-not-found]
from aliyunsdkcore.request import RpcRequest  # type: ignore[import-not-found]
from aliyunsdkmts.request.v20140618.QueryVideoQualityJobRequest import (  # type: ignore[import-not-found]
    QueryVideoQualityJobRequest,
)
from aliyunsdkmts.request.v20140618.SubmitVideoQualityJobRequest import (  # type: ignore[import-not-found]
    SubmitVideoQualityJobRequest,
)


def main(endpoint: str, sample: str, user_id: str) -> None:
    client = AcsClient("own-key", "own-secret", "cn-shanghai", auto_retry=False)

    def send(request: RpcRequest) -> bytes:
        request.set_endpoint(endpoint)
        request.set_protocol_type("http")
        body: bytes = client.do_action_with_exception(request)
        return body

    def query(job_id: str) -> bytes:
        request = QueryVideoQualityJobRequest()
        request.set_JobId(job_id)
        request.set_UserId(user_id)
        return send(request)

    submission = SubmitVideoQualityJobRequest()
    submission.set_Input("oss://in.oss-cn-shanghai.aliyuncs.com/blockness.mp4")
    submission.set_Output("oss://out.oss-cn-shanghai.aliyuncs.com/ai/vqs/legacy.txt")
    submission.set_SourceType("Video")
    submission.set_UserId(user_id)
    submitted = json.loads(send(submission))
    report = {
        "submitted": submitted,
        "first": json.loads(query(submitted["JobId"])),
        "sample": json.loads(query(sample)),
        "unknown_job": failure(lambda: query("0" * 32)),
    }
    json.dump(report, sys.stdout)


def failure(attempt: Callable[[], object]) -> dict[str, Any]:
    try:
        attempt()
    except ServerException as error:
        return {
            "code": error.get_error_code(),
            "status": error.get_http_status(),
            "message": error.get_error_msg(),
            "request_id": error.get_request_id(),
        }
    return {"code": None}


if __name__ == "__main__":
    main(*sys.argv[1:])
