"""The local cloud with the functions of a template running in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from localcloud.cloud import ACCOUNT, REGION, LocalCloud
from localcloud.fc.functions import LocalFunctions
from localcloud.fc.log_lines import LogSink
from localcloud.fc.log_tails import LogTails
from localcloud.template import Template


@contextmanager
def cloud_with_functions(
    folder: Path, template: Template, settings: Mapping[str, str], *, code: Path, log: LogSink
) -> Iterator[LocalCloud]:
    """Serve a cloud that runs the functions of a template, imported from the folder `code`.

    Functions have the settings that point at it and `settings`, which go before the template's.
    """
    tails = LogTails(log)

    def resolve(name: str) -> Callable[[bytes], bytes]:
        return functions.resolve(name)

    with LocalCloud(folder, resolve, template=template, log_tail=tails.of) as cloud:
        environment = {**cloud.environment(), **settings}
        # They end first: what still runs would be waited for otherwise.
        with LocalFunctions(
            template, environment, code=code, log=tails, region=REGION, account_id=ACCOUNT
        ) as functions:
            yield cloud
