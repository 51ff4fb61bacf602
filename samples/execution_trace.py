"""Prints an execution's history for people: when, how deep, what."""

import json
import os
import sys

# Of a Map's iterations only so many are printed; a line says how many more there were.
ITERATIONS_SHOWN = 1
DETAIL_CHARS_MAX = 96

RED, GREEN, YELLOW, CYAN, DIM, PLAIN = "\033[31m", "\033[32m", "\033[33m", "\033[36m", "\033[2m", "\033[0m"


def colour_of(kind):
    """The colour of an event type; a failure that is caught is as red as one that ends the execution."""
    if kind.endswith(("Failed", "TimedOut", "Aborted")) or kind == "FailStateEntered":
        return RED
    if kind.endswith("Succeeded"):
        return GREEN
    if kind.endswith("StateEntered"):
        return CYAN
    if kind.endswith("Scheduled"):
        return YELLOW
    return DIM


def details_of(event):
    """The `...EventDetails` member, whatever its name; {} if the event has none."""
    return next((value for key, value in event.items() if key.endswith("EventDetails")), {})


def text_of(event):
    """What is worth saying of an event in one line."""
    details = details_of(event)
    parts = []
    if "name" in details:
        parts.append(details["name"])
    if "index" in details:
        parts.append(f"#{details['index']}")
    if "length" in details:
        parts.append(f"{details['length']} item{'s' * (details['length'] != 1)}")
    if "resource" in details:
        parts.append(details["resource"].rsplit(":", 1)[-1])
    if "error" in details:
        parts.append(f"{details['error']}: {details.get('cause', '')}".rstrip(": "))
    for name, value in details.get("assignedVariables", {}).items():
        parts.append(f"${name} = {value}")
    if "output" in details and not event["type"].startswith("Execution"):
        parts.append(f"-> {json.dumps(json.loads(details['output']), ensure_ascii=False)}")
    text = "  ".join(parts)
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 1] + "…"


def placed(events):
    """Gives each event with its depth and the outermost Map iteration (started id, index) that it belongs to."""
    depth, iteration, containers = {0: 0}, {0: None}, {}
    for event in events:
        kind, previous = event["type"], event["previousEventId"]
        here, inside = depth.get(previous, 0), iteration.get(previous)
        details = details_of(event)
        if kind in ("MapStateEntered", "ParallelStateEntered"):
            containers[details["name"]] = (here, inside)
        elif kind in ("MapStateExited", "ParallelStateExited"):
            here, inside = containers.get(details["name"], (here, inside))
        elif kind.startswith("MapIteration"):
            here, outer = containers.get(details["name"], (here, None))
            here += 1
            started = previous if kind != "MapIterationStarted" else event["id"]
            inside = outer or (inside if kind != "MapIterationStarted" else (started, details["index"]))
        elif kind in ("MapStateSucceeded", "MapStateFailed", "ParallelStateSucceeded", "ParallelStateFailed"):
            here, inside = max(here - 1, 0), None
        elif kind in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
            here, inside = 0, None
        yield event, here, inside
        opens = kind in ("MapStateStarted", "ParallelStateStarted", "MapIterationStarted")
        depth[event["id"]], iteration[event["id"]] = here + opens, inside


def print_trace(events, out=sys.stdout, all_events=False):
    """Prints one line for each event; coloured on a terminal, unless NO_COLOR is set."""
    coloured = out.isatty() and "NO_COLOR" not in os.environ
    begin = events[0]["timestamp"] if events else None
    hidden = set()
    for event, depth, iteration in placed(events):
        if iteration and iteration[1] >= ITERATIONS_SHOWN and not all_events:
            hidden.add(iteration)
            continue
        if event["type"] in ("MapStateSucceeded", "MapStateFailed") and hidden:
            print(f"{'':16}{'  ' * (depth + 1)}… and {len(hidden)} more iteration{'s' * (len(hidden) != 1)}", file=out)
            hidden.clear()
        seconds = (event["timestamp"] - begin).total_seconds()
        colour, plain = (colour_of(event["type"]), PLAIN) if coloured else ("", "")
        line = f"{event['id']:5} {seconds:8.3f} s {'  ' * depth}{colour}{event['type']}{plain}  {text_of(event)}"
        print(line.rstrip(), file=out)
