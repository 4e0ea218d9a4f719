"""Carries a release out: upload, create or update, wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from cli.deploy.advice import meaning_of, takes_no_update
from cli.deploy.progress import Watch, wait
from cli.deploy.release import PackageFile, Release, StackName
from cli.deploy.stacks import Event, Stack, Stacks
from shared.bootstrap.deployment import Deployment
from shared.errors import PermanentError, SettingError, TemporaryError
from shared.policy import MINUTE

# The shorter ways of OSS to say that there is no bucket of ours by that name.
_NO_BUCKET = ("NoSuchBucket", "InvalidBucketName", "BucketNotBelongTo")


Operation = Literal["create", "update", "none", "watch"]


@dataclass(frozen=True)
class Outcome:
    """What was begun, and how the stack stands; it is still moving when nobody waited to the end.

    `uploaded` is None where nothing was to be uploaded, and False where the package was there.
    """

    operation: Operation
    stack: Stack
    failures: tuple[Event, ...] = ()
    uploaded: bool | None = None

    @property
    def problem(self) -> str | None:
        """Say what is wrong with the stack as it stands; None for one that is as it should be, or will be."""
        if self.operation == "none" or self.stack.is_moving:
            return None
        return meaning_of(self.stack.status)


@dataclass(frozen=True)
class Deployer:
    """Works on one stack, and tells of its resources by `tell`."""

    account: Deployment
    stack: StackName
    tell: Callable[[Event], None]

    def deploy(self, release: Release) -> Outcome:
        """Make the stack what the release says, and wait; raise before anything changes if that cannot be."""
        stacks = self._stacks()
        found = stacks.find(self.stack)
        if found is None:
            release.check_complete()
        else:
            _check_takes_update(found)
        uploaded = self._upload(release.package)
        if found is None:
            watch = Watch(stacks, stacks.create(release), self.stack.region)
            return self._waited("create", watch, release.timeout_minutes, uploaded)
        watch = Watch(stacks, found.id, self.stack.region)
        watch.fresh()  # what happened before is none of our business
        if not stacks.update(release, found.id):
            return Outcome("none", stacks.get(found.id, region=self.stack.region), uploaded=uploaded)
        return self._waited("update", watch, release.timeout_minutes, uploaded)

    def look_on(self, *, timeout_minutes: int) -> Outcome:
        """Wait for what goes on, and change nothing; raise `PermanentError` where there is no stack."""
        stacks = self._stacks()
        found = stacks.find(self.stack)
        if found is None:
            raise PermanentError("there is no such stack", stack=self.stack.name, region=self.stack.region)
        watch = Watch(stacks, found.id, self.stack.region)
        if not found.status.startswith("CREATE"):
            watch.fresh()  # of events of an earlier operation nothing tells that they are
        return self._waited("watch", watch, timeout_minutes)

    def _stacks(self) -> Stacks:
        return Stacks(self.account.api, clock=self.account.clock, random=self.account.random)

    def _waited(
        self,
        operation: Operation,
        watch: Watch,
        minutes: int,
        uploaded: bool | None = None,
    ) -> Outcome:
        clock = self.account.clock
        # ROS ends an operation when its time is up; undoing it may take as long again.
        stack, failures = wait(watch, clock=clock, until=clock.now() + 2 * minutes * MINUTE, tell=self.tell)
        return Outcome(operation, stack, failures, uploaded)

    def _upload(self, package: PackageFile) -> bool:
        with closing(self.account.open_packages(package.bucket)) as packages, package.file.open("rb") as file:
            try:
                return packages.put_file(package.key, file, content_type="application/zip")
            except SettingError as error:
                if error.details.get("vendor_code") not in _NO_BUCKET:
                    raise
        region = self.stack.region
        raise SettingError(
            f"--code-bucket: there is no bucket {package.bucket} of yours in {region}; make one with"
            f" `aliyun oss mb oss://{package.bucket} --region {region}`"
        )


def _check_takes_update(stack: Stack) -> None:
    if stack.is_moving:
        raise TemporaryError(
            "something is being done with the stack: wait for it with --wait-only, then deploy again",
            stack=stack.name,
            status=stack.status,
        )
    if takes_no_update(stack.status):
        raise PermanentError(f"{stack.status}: {meaning_of(stack.status)}", stack=stack.name, id=stack.id)
