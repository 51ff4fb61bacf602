"""Reads the outcome that the runner of the recorded cases wrote.

usage: conformance_summary.py OUTCOME.json CORE.ids     says how many of the core cases pass
       conformance_summary.py --passing OUTCOME.json    prints the ids that pass, sorted
"""

import json
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(arguments):
    if arguments[0] == "--passing":
        for case, outcome in sorted(load(arguments[1]).items()):
            if outcome["pass"]:
                print(case)
        return
    outcomes = load(arguments[0])
    with open(arguments[1], encoding="utf-8") as file:
        core = [line for line in file.read().split("\n") if line]
    ran = [case for case in core if case in outcomes]
    passed = sum(outcomes[case]["pass"] for case in ran)
    if ran:
        print(f"of the {len(core)} core cases {len(ran)} ran and {passed} passed ({100 * passed / len(ran):.1f} %)")


if __name__ == "__main__":
    main(sys.argv[1:])
