"""What a stack's state and a resource's failure mean in plain words, and what to do. Pure."""

from __future__ import annotations

import re

# States of which ROS takes an update, beside those of stacks that were imported or checked:
# https://www.alibabacloud.com/help/en/ros/user-guide/create-a-change-set
_UNUSABLE = ("CREATE_FAILED", "CREATE_ROLLBACK_COMPLETE", "CREATE_ROLLBACK_FAILED", "DELETE_FAILED")

_DELETE = (
    "look at what it still has, delete it (docs/deploy.md, starting over), and deploy again: a stack in this"
    " state takes no update"
)
_MEANINGS = {
    "CREATE_FAILED": f"the stack is half made, and nothing was undone; {_DELETE}",
    "CREATE_ROLLBACK_COMPLETE": f"nothing runs: what had been made was taken away again; {_DELETE}",
    "CREATE_ROLLBACK_FAILED": f"nothing runs, and not all that had been made could be taken away; {_DELETE}",
    "UPDATE_FAILED": "some resources are new, some are as before; mend the reason and deploy again",
    "ROLLBACK_COMPLETE": "the version before runs as it did; mend the reason and deploy again",
    "ROLLBACK_FAILED": "some resources are new, some are as before: the update could not be undone; mend the"
    " reason and deploy again, or deploy the version before",
    "DELETE_FAILED": f"the stack could not be deleted; {_DELETE}",
    "DELETE_COMPLETE": "somebody deleted the stack; bucket, instance and tables stay",
}

# What the reason of a failure says -> what to do. The first that is found counts.
_ADVICE = (
    (
        r"BucketAlreadyExists|bucket.*(already exists|not available)",
        "bucket names are unique in all of OSS: take another --parameter ArchiveBucket, or delete a"
        " left-over one that is empty",
    ),
    (r"NotEnoughBalance|InDebt|Arrears|overdue", "the account has no money for it"),
    (
        r"Quota|LimitExceeded|ExceedLimit|exceed.*limit",
        "a quota of the account is used up: raise it in the Quota Center, or remove what is not needed",
    ),
    (
        r"AlreadyExist|already exist|Conflict",
        "another stack, or somebody by hand, made one of this name: take another --parameter Name, or"
        " remove it if nobody needs it",
    ),
    (
        r"Forbidden|NoPermission|NotAuthorized|AccessDenied|not authorized|Unauthorized",
        "the key may not do this: it needs the right to make this kind of resource",
    ),
    (
        r"NotOpen|NotEnabled|NotActivated|not activated|ServiceUnavailable.*open",
        "enable the service in the console (docs/deploy.md, once per account)",
    ),
    (
        r"ServiceLinkedRole|AliyunServiceRole",
        "allow the service-linked role in the console (docs/deploy.md, once per account)",
    ),
    (
        r"NoSuchBucket|NoSuchKey|InvalidCode|OssObjectName",
        "Function Compute cannot read the package: --code-bucket must be in the stack's region, and"
        " belong to this account",
    ),
    (r"(?i)timeout|timed out", "it took too long: deploy again, with a longer --timeout"),
)


def meaning_of(status: str) -> str | None:
    """Say what a state means for somebody who wanted a new version to run; None for one that is success."""
    if status in _MEANINGS:
        return _MEANINGS[status]
    if status.endswith("_COMPLETE"):
        return None
    return "nobody here knows this state: look at the stack in the ROS console"


def takes_no_update(status: str) -> bool:
    """Tell whether a stack in that state has to be deleted before it can be made again."""
    return status in _UNUSABLE


def advice_for(reason: str) -> str | None:
    """Say what to do about a resource that failed, where its reason is one that we know."""
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), None)
