"""An account for deployments on loopback: stacks on a clock in a file, and one bucket for packages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import Result

from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.oss.server import folder_buckets, oss_server
from localcloud.oss.service import OssService
from localcloud.ros.service import Ros
from shared.adapters.clocks import SystemClock
from shared.adapters.local.file_clock import FileClock
from tests.cli.conftest import KEY, NOON, Shell

BUCKET = "my-packages"
REGION = "cn-shanghai"
STACK = ("--stack", "media", "--region", REGION)


# As ours in what a deployment sees of it, and soon made.
TEMPLATE = """\
ROSTemplateFormatVersion: '2015-09-01'
Parameters:
  Name: {Type: String, Default: media, Description: Prefix of every name.}
  CodeBucket: {Type: String}
  CodeKey: {Type: String}
  ArchiveBucket: {Type: String}
  DeliveryKeys: {Type: String, Default: '', NoEcho: true}
Resources:
  CallbackQueue:
    Type: ALIYUN::MNS::Queue
    Properties:
      QueueName: !Sub ${Name}-callbacks
  Archive:
    Type: ALIYUN::OSS::Bucket
    Properties:
      BucketName: !Ref ArchiveBucket
  Package:
    Type: ALIYUN::FC3::LayerVersion
    Properties:
      LayerName: !Ref Name
      Code:
        OssBucketName: !Ref CodeBucket
        OssObjectName: !Ref CodeKey
  Keys:
    Type: ALIYUN::MNS::Topic
    Properties:
      TopicName: !Sub ${Name}-${DeliveryKeys}
Outputs:
  Settings:
    Value: !Sub export LEDGER_OBJECTS='oss://${ArchiveBucket}'
"""


@dataclass
class Account:
    """A shell on the account, a package to deploy, and what is in the bucket."""

    shell: Shell
    ros: Ros
    gateway: Gateway
    clock: FileClock
    package: Path
    template: Path

    def deploy(self, *words: str) -> Result:
        """Deploy the package as it is now."""
        what = ("--package", str(self.package), "--template", str(self.template))
        return self.shell.run("deploy", *STACK, "--code-bucket", BUCKET, *what, *words)

    def pack(self, text: str) -> None:
        """Make another package."""
        with ZipFile(self.package, "w") as zipped:
            zipped.writestr("functions/callback/handler.py", text)

    def packages(self) -> list[Path]:
        """List the packages in the bucket, in the order of their keys."""
        objects = self.shell.folder / "buckets" / BUCKET / "objects"
        return sorted(one for one in objects.rglob("*") if one.suffix == ".zip")


@pytest.fixture
def account(shell: Shell) -> Iterator[Account]:
    """Serve an empty account, and let the shell's settings point at it."""
    clock = FileClock(shell.folder / "clock")
    clock.set(NOON)
    ros = Ros(clock=clock)
    gateway = Gateway(ros.actions(), keys=[KEY], clock=clock, random=random.Random(1))
    oss = OssService(
        folder_buckets(shell.folder / "buckets", [BUCKET]),
        keys=[KEY],
        clock=SystemClock(),
        random=random.Random(1),
        region=REGION,
    )
    with MediaApiServer(gateway) as stacks, oss_server(oss) as buckets:
        shell.env = {
            "LEDGER_CLOCK": str(shell.folder / "clock"),
            "LEDGER_ENDPOINTS": f"ros={stacks.endpoint},oss={buckets.endpoint}",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY.access_key_secret,
        }
        package, template = shell.folder / "package.zip", shell.folder / "template.yml"
        account = Account(shell, ros, gateway, clock, package, template)
        account.pack("first")
        template.write_text(TEMPLATE)
        yield account
