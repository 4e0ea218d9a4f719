"""Ask the local media API with the vendor's last client that knows the quality review; print JSON.

Runs in the environment of requirements/vendor-mts-3.in, started by
test_video_quality_judged_by_the_vendor.py. Arguments: the host and port of the API, the id of a review
that is answered with the page's sample, its user.
"""

from __future__ import annotations

import sys
from typing import Any

from alibabacloud_mts20140618 import models  # type: ignore[import-not-found]
from alibabacloud_mts20140618.client import Client  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]

from tests.localcloud.media.openapi_client import call, failure, report


def judge(config: Config) -> dict[str, Any]:
    """Play the life of a review, the page's sample and the documented refusals."""
    client, generic = Client(config), OpenApiClient(config)
    _, _, sample, user_id = sys.argv
    submitted = client.submit_video_quality_job(
        models.SubmitVideoQualityJobRequest(
            input="oss://in.oss-cn-shanghai.aliyuncs.com/blockness.mp4",
            output=f"oss://out.oss-cn-shanghai.aliyuncs.com/ai/vqs/{config.signature_algorithm}.txt",
            source_type="Video",
            user_id=int(user_id),
            model_id="system-video-quality",
            user_data="用户 &",
        )
    )
    job_id, own = submitted.body.job_id, int(user_id)
    life = []
    for _ in range(3):
        life.append(describe(client, job_id, own))
        call(generic, "AdvanceClock", {"Milliseconds": "1000"}, version="2014-06-18")
    return {
        "submitted": submitted.body.to_map(),
        "life": life,
        "sample": describe(client, sample, own),
        "unknown_job": failure(lambda: describe(client, "0" * 32, own)),
        "another_user": failure(lambda: describe(client, job_id, own + 1)),
        "short_id": failure(lambda: describe(client, "nobody-knows-it", own)),
        "missing_user": failure(lambda: describe(client, job_id, None)),
        "missing_job": failure(lambda: describe(client, None, own)),
    }


def describe(client: Client, job_id: str | None, user_id: int | None) -> dict[str, Any]:
    query = models.QueryVideoQualityJobRequest(job_id=job_id, user_id=user_id)
    described: dict[str, Any] = client.query_video_quality_job(query).body.to_map()
    return described


if __name__ == "__main__":
    report(judge, sys.argv[1])
