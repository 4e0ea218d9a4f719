"""What the vendor's packages leave out of their definitions, each with its source."""

from __future__ import annotations

from typing import Any

# Types of triggers, and the client's class for the configuration of each. A Tablestore trigger has none:
# its source is in SourceArn (function-compute.md 4a).
TRIGGER_TYPES = {
    "cdn_events": "CDNTriggerConfig",
    "eventbridge": "EventBridgeTriggerConfig",
    "http": "HTTPTriggerConfig",
    "log": "SLSTriggerConfig",
    "mns_topic": "MNSTopicTriggerConfig",
    "oss": "OSSTriggerConfig",
    "tablestore": None,
    "timer": "TimerTriggerConfig",
}

# function-compute.md 1.1, and what the client says of `runtime` in a comment.
RUNTIMES = (
    "custom", "custom-container", "custom.debian10", "custom.debian11", "custom.debian12", "dotnetcore3.1",
    "go1", "java11", "java8", "micro-sandbox", "nodejs12", "nodejs14", "nodejs16", "nodejs18", "nodejs20",
    "php7.2", "python3", "python3.10", "python3.12", "python3.9",
)  # fmt: skip

# function-compute.md 1.5
FUNCTION = {
    "Runtime": {"values": RUNTIMES},
    "MemorySize": {"multiple_of": 64},
    "DiskSize": {"values": (512, 10240)},
}

# By type of trigger and name of the client's class; "" is the configuration itself. Values and required
# keys: function-compute.md 2 and 4a; the client has their names, and their values in comments only.
TRIGGERS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "timer": {"": {"cronExpression": {"required": True}}},
    "mns_topic": {
        "": {
            "filterTag": {"max_length": 16},
            "notifyContentFormat": {"values": ("JSON", "STREAM")},
            "notifyStrategy": {"values": ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY")},
        }
    },
    "http": {
        "": {
            # JSON in a string for the API; a mapping is written by those who leave that to ROS.
            "authConfig": {"type": "any"},
            "authType": {"required": True, "values": ("anonymous", "function", "jwt")},
            "methods": {
                "required": True,
                "items": {
                    "type": "string",
                    "values": ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
                },
            },
        }
    },
    "oss": {"": {"events": {"required": True}}},
    "log": {"": {"sourceConfig": {"required": True}}},
    "cdn_events": {"": {"eventName": {"required": True}, "eventVersion": {"required": True}}},
    "eventbridge": {
        "": {"eventSourceConfig": {"required": True}},
        "BatchWindow": {
            "CountBasedWindow": {"min": 1, "max": 10000},
            "TimeBasedWindow": {"min": 0, "max": 15},
        },
        "DeadLetterQueue": {"Arn": {"required": True}},
        "DeliveryOption": {"eventSchema": {"values": ("CloudEvents", "RawData")}},
        "EventSourceConfig": {
            "eventSourceType": {
                "required": True,
                "values": ("DTS", "Default", "Kafka", "MNS", "MQTT", "RabbitMQ", "RocketMQ"),
            }
        },
        "RetryStrategy": {
            "PushRetryStrategy": {"required": True, "values": ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY")},
            "MaximumEventAgeInSeconds": {"type": "number"},
            "MaximumRetryAttempts": {"type": "number"},
        },
        "RunOptions": {
            "errorsTolerance": {"values": ("ALL", "NONE")},
            "mode": {"required": True, "values": ("event-driven", "event-streaming")},
        },
        "SourceMNSParameters": {"QueueName": {"required": True}},
    },
}


def with_additions(found: dict[str, Any]) -> dict[str, Any]:
    """Add to definitions what is said here; an addition to a name that is gone raises `KeyError`."""
    function = found["resources"]["ALIYUN::FC3::Function"]["properties"]
    for name, limits in FUNCTION.items():
        function[name].update(limits)
    found["resources"]["ALIYUN::FC3::Trigger"]["properties"]["TriggerType"]["values"] = sorted(TRIGGER_TYPES)
    for trigger, classes in TRIGGERS.items():
        own = found["triggers"][trigger]
        for class_name, members in classes.items():
            target = own["types"][class_name] if class_name else own["properties"]
            for member, limits in members.items():
                target.setdefault(member, {}).update(limits)
    found["resources"]["ALIYUN::ROS::Stack"]["attributes"] = ["Outputs"]  # of the nested stack, after a dot
    return found
