"""State machines that several files of tests use."""

import json


def text(definition):
    return json.dumps(definition)


PASS = text({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


def chain(length):
    """`length` Pass states in a row."""
    states = {
        f"S{number}": {"Type": "Pass", **({"Next": f"S{number + 1}"} if number < length else {"End": True})}
        for number in range(1, length + 1)
    }
    return text({"StartAt": "S1", "States": states})


def wait(seconds):
    """Waits, then ends with its input."""
    return text({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": seconds, "End": True}}})


def activity(arn, **fields):
    """One task of an activity."""
    return text({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": True, **fields}}})
