"""How an operation is refused: the vendor's codes, statuses and, where they are documented, words."""

from __future__ import annotations


class RefusedError(Exception):
    """The call, or one row of a batch, ends with the vendor's code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> RefusedError:
    """Refuse a parameter."""
    return RefusedError(400, "OTSParameterInvalid", message)


def unsupported(what: str) -> RefusedError:
    """Refuse what the vendor has and this imitation has not."""
    return RefusedError(400, "OTSUnsupportOperation", f"The local Tablestore has no {what}.")


def lost() -> RefusedError:
    """Say that a condition does not hold."""
    return RefusedError(403, "OTSConditionCheckFail", "Condition check failed.")


def unauthenticated(message: str) -> RefusedError:
    """Refuse a key, a signature or a clock."""
    return RefusedError(403, "OTSAuthFailed", message)


def no_such_table() -> RefusedError:
    """Say that there is no table of that name."""
    return RefusedError(404, "OTSObjectNotExist", "Requested table does not exist.")
