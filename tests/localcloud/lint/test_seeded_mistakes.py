"""Mistakes are put into the real template one at a time: each is found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.lint.findings import Severity
from localcloud.lint.linter import lint

TEMPLATE = (Path(__file__).parents[3] / "template.yml").read_text(encoding="utf-8")
FUNCTION = "Resources.CallbackFunction.Properties"
VARIABLES = f"{FUNCTION}.EnvironmentVariables"
QUEUE = "Resources.CallbackQueue.Properties"
TOPIC = "Resources.CallbackFromTopic.Properties"
STREAM = "Resources.CallbackFromQueue.Properties.TriggerConfig"
TIMER = "Resources.ReconcileFromTimer.Properties.TriggerConfig.cronExpression"

# What stands in the template, what is put there, where that is a mistake, a part of what is said, and
# the nearest right word.
MISTAKES = [
    # properties
    ("MemorySize: 512", "MemorySise: 512", f"{FUNCTION}.MemorySise", "no such property", "MemorySize"),
    ("Logstore: functions", "LogStore: functions", f"{FUNCTION}.LogConfig.LogStore", "no such", "Logstore"),
    ("      BucketName: !Ref ArchiveBucket\n", "", "Resources.Archive.Properties", "BucketName is req", None),
    ("TopicName: !Sub ${Name}-callbacks", "TopicName:", "Resources.CallbackTopic.Properties.TopicName",
     "required, and empty", None),
    ("SSEAlgorithm: AES256", "KMSMasterKeyID: key", "Resources.Archive.Properties"
     ".ServerSideEncryptionConfiguration", "SSEAlgorithm is required", None),
    ("BlockPublicAccess: true", "BlockPublicAccess: maybe", "Resources.Archive.Properties.BlockPublicAccess",
     "true or false", None),
    ("VisibilityTimeout: 360", "VisibilityTimeout: 6 min", f"{QUEUE}.VisibilityTimeout", "a number", None),
    ("[due_bucket, due_at]", "due_bucket", "Resources.JobsTable.Properties.SecondaryIndices[0].PrimaryKeys",
     "must be a list, is a single value", None),
    ("FullTextIndex:\n        Enable: true", "FullTextIndex: [true]",
     "Resources.FunctionLogsIndex.Properties.FullTextIndex", "must be a mapping, is a list", None),
    ("MaximumMessageSize: 65536", "MaximumMessageSize: 100", f"{QUEUE}.MaximumMessageSize", "least", None),
    ("MaximumMessageSize: 65536", "MaximumMessageSize: 70000", f"{QUEUE}.MaximumMessageSize", "most", None),
    ("AccessControl: private", "AccessControl: privat", "Resources.Archive.Properties.AccessControl",
     "none of: private, public-read", "private"),
    ("- { Name: job_key, Type: STRING }", "- { Name: job_key, Type: TEXT }",
     "Resources.JobsTable.Properties.PrimaryKey[0].Type", "none of", None),
    ("Type: ALIYUN::MNS::Topic", "Type: ALIYUN::MNS::Topik", "Resources.CallbackTopic.Type",
     "no resource type", "ALIYUN::MNS::Topic"),
    # references
    ("!Ref CodeBucket", "!Ref CodeBuckte", f"{FUNCTION}.Code.OssBucketName", "nothing here", "CodeBucket"),
    ("!GetAtt TopicRole.Arn", "!GetAtt TopicRol.Arn", f"{TOPIC}.InvocationRole", "no resource", "TopicRole"),
    ("!GetAtt TopicRole.Arn", "!GetAtt TopicRole.ARN", f"{TOPIC}.InvocationRole", "no attribute ARN", "Arn"),
    ("!Sub ${Name}-callbacks", "!Sub ${Nam}-callbacks", f"{QUEUE}.QueueName", "nothing here", "Name"),
    ("${Ledger.InstanceName}", "${Ledger.Instance}", f"{VARIABLES}.LEDGER_TABLES",
     "no attribute Instance", "InstanceName"),
    ("!Sub ots://", "ots://", f"{VARIABLES}.LEDGER_TABLES", "without Fn::Sub", None),
    ("Fn::Calculate", "Fn::Calcuate", "Resources.CallbackConcurrency.Properties.ReservedConcurrency",
     "no function Fn::Calcuate", "Fn::Calculate"),
    ("!Ref CallbackInstances", "!If [Big, 1, 2]", f"{VARIABLES}.LEDGER_CALLBACK_INSTANCES",
     "no condition", None),
    ("!Ref CallRates", "!Join ['-']", f"{VARIABLES}.LEDGER_CALL_RATES", "list of 2", None),
    ("DependsOn: FunctionLogs", "DependsOn: FunctionLog", "Resources.CallbackFunction.DependsOn",
     "no resource", "FunctionLogs"),
    ("Parameters:\n", "Parameters:\n  Spare: {Type: String}\n", "Parameters.Spare", "nothing uses", None),
    ("!GetAtt TrackFromHttp.UrlInternet", "!GetAtt TrackFromHttp.URLInternet", "Outputs.TrackUrl.Value",
     "no attribute URLInternet", "UrlInternet"),
    # the frame
    ("'2015-09-01'", "'2015-09-02'", "ROSTemplateFormatVersion", "must be '2015-09-01'", None),
    ("\nOutputs:", "\nOutput:", "Output", "no such field", "Outputs"),
    ("MinValue: 6", "MinVlaue: 6", "Parameters.CallbackInstances.MinVlaue", "no such field", "MinValue"),
    ("Type: Number", "Type: Numbr", "Parameters.InboxDays.Type", "no type", "Number"),
    ("Default: 15", "Default: 5", "Parameters.CallbackInstances.Default", "beyond MinValue, 6", None),
    ("DependsOn: FunctionLogs", "DependOn: FunctionLogs", "Resources.CallbackFunction.DependOn",
     "no such field", "DependsOn"),
    ("DeletionPolicy: Retain", "DeletionPolicy: Retian", "Resources.Archive.DeletionPolicy",
     "Delete or Retain", "Retain"),
    ("VisibilityTimeout: 360\n", "VisibilityTimeout: 360\n      QueueName: second\n", f"{QUEUE}.QueueName",
     "stands in line", None),
    ("Description: Where submitted", "Describtion: Where submitted", "Outputs.TrackUrl.Describtion",
     "no such field", "Description"),
    ("    Value: !GetAtt TrackFromHttp.UrlInternet", "    Label: URL", "Outputs.TrackUrl", "Value is re",
     None),
    # functions
    ("Runtime: python3.10", "Runtime: python310", f"{FUNCTION}.Runtime", "none of", "python3.10"),
    ("Timeout: 320", "Timeout: 100000", "Resources.DeliverFunction.Properties.Timeout", "86400", None),
    ("MemorySize: 1024", "MemorySize: 1040", "Resources.ReconcileFunction.Properties.MemorySize",
     "multiple of 64", None),
    ("Cpu: 0.5", "Cpu: 4", "Resources.ReconcileFunction.Properties.Cpu", "1 to 4 GB", None),
    ("DiskSize: 512", "DiskSize: 1024", f"{FUNCTION}.DiskSize", "none of: 512, 10240", None),
    ("LEDGER_REGION:", "FC_REGION:", f"{VARIABLES}.FC_REGION", "reserved", None),
    ("LEDGER_REGION:", "ALIBABA_CLOUD_ACCESS_KEY_ID:",
     f"{VARIABLES}.ALIBABA_CLOUD_ACCESS_KEY_ID", "reserved", None),
    ("LEDGER_REGION:", "LEDGER-REGION:", f"{VARIABLES}.LEDGER-REGION", "letter", None),
    ("LEDGER_REGION: !Ref ALIYUN::Region", f"LEDGER_REGION: {'x' * 4096}", VARIABLES,
     "4096 are allowed", None),
    ("Handler: functions.callback.handler.handler", "Handler: handler", f"{FUNCTION}.Handler", "no mod",
     None),
    # triggers
    ("TriggerType: mns_topic", "TriggerType: mns-topic", f"{TOPIC}.TriggerType", "none of", "mns_topic"),
    ("notifyStrategy", "notifyStrategie", f"{TOPIC}.TriggerConfig.notifyStrategie", "no such",
     "notifyStrategy"),
    ("notifyContentFormat: JSON", "notifyContentFormat: XML", f"{TOPIC}.TriggerConfig.notifyContentFormat",
     "none of: JSON, STREAM", None),
    ("      SourceArn: ", "      Qualifier: ", TOPIC, "needs SourceArn", None),
    ("CountBasedWindow: 10", "countBasedWindow: 10",
     f"{STREAM}.runOptions.batchWindow.countBasedWindow", "no such", "CountBasedWindow"),
    ("TimeBasedWindow: 1", "TimeBasedWindow: 16", f"{STREAM}.runOptions.batchWindow.TimeBasedWindow",
     "more than 15", None),
    ("          mode: event-streaming\n", "", f"{STREAM}.runOptions", "mode is required", None),
    ("methods: [POST]", "methods: [PSOT]", "Resources.TrackFromHttp.Properties.TriggerConfig.methods[0]",
     "none of", "POST"),
    ("eventRuleFilterPattern: '{}'", "eventRuleFilterPattern: '{'", f"{STREAM}.eventRuleFilterPattern",
     "JSON object", None),
    ("'@every 1m'", "'@every minute'", TIMER, "no interval", None),
    ("'@every 1m'", "'*/1 * * * *'", TIMER, "has 5 fields", None),
    ("'@every 1m'", "'0 60 * * * *'", TIMER, "'60' is no minute", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "path", "said", "nearest"),
    MISTAKES,
    ids=[wrong[:40].strip() for _, wrong, *_ in MISTAKES],
)
def test_a_mistake_is_found_and_nothing_else(
    right: str, wrong: str, path: str, said: str, nearest: str | None, tmp_path: Path
) -> None:
    before, found, after = TEMPLATE.partition(right)
    assert found, "the template no longer says this"

    findings = lint(before + wrong + after, folder=tmp_path, source="template.yml")

    errors = [one for one in findings if one.severity is Severity.ERROR]
    assert [(one.path, one.nearest) for one in errors] == [(path, nearest)]
    assert said in errors[0].problem
    changed = before.count("\n") + 1
    assert changed - 12 <= errors[0].at.line <= changed + wrong.count("\n") + 1
