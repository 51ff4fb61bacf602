"""Executions that are written to cost as much as they can. Used by test_hostile.py and scripts/measure-hostile."""

import json

LETTERS = 120_000


def payload():
    """An input of about 250 KiB: a long text, numbers, and objects in objects."""
    nested = {"a": 1}
    for _ in range(60):
        nested = {"a": nested, "b": [nested["a"]] if not isinstance(nested["a"], dict) else []}
    return json.dumps({
        "a": "a" * LETTERS,
        "numbers": list(range(10_000)),
        "objects": [{"id": number, "name": f"name {number}"} for number in range(1_500)],
        "nested": nested,
    })  # fmt: skip


# What the cause of an evaluation that was ended contains. Source: the developer guide, query language errors.
ENDED = ("Expression evaluation timeout", "Expression evaluation memory limit exceeded", "Stack overflow error")

# Expressions of JSONata that no bound lets through.
JSONATA = {
    "sort-many-times": "$count($map([1..5000], function($i) { $sort($states.input.numbers) }))",
    "membership": "$count([1..100000][$ in [1..100000]])",
    "replace-with-itself": "$replace($states.input.a, 'a', $states.input.a)",
    "replace-by-groups": "$replace($states.input.a, /a/, $states.input.a & '$0')",
    "join-long-texts": "$join($map([1..50000], function($i) { $states.input.a }))",
    "pad": "$pad('', 9999999)",
    "doubling-text": "($f := function($s) { $f($s & $s) }; $f('ab'))",
    "doubling-array": "($f := function($a) { $f($append($a, $a)) }; $f([1]))",
    "range": "[1..10000000]",
    "recursion": "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
    "tail-recursion": "($f := function($n) { $f($n + 1) }; $f(0))",
    "exponential-recursion": "($f := function($n) { $n > 0 ? $f($n - 1) + $f($n - 1) : 1 }; $f(60))",
    "self-application": "($y := function($g) { $g($g) }; $y($y))",
    "nesting": "($f := function($n) { $n = 0 ? [] : [$f($n - 1)] }; $f(50000))",
    "reduce-append": "$reduce([1..250000], function($a, $i) { $append($a, $i) }, [])",
    "reduce-object": "$reduce([1..200], function($a, $i) { {'a': $a, 'b': $a} }, {})",
    "map-of-maps": "$map([1..9000], function($i) { $map([1..9000], function($j) { $i * $j }) })",
    "hash": "$count($map([1..200000], function($i) { $hash($states.input.a, 'SHA-512') }))",
    "encode": "$count($map([1..200000], function($i) { $base64encode($states.input.a) }))",
    "length": "$count($map([1..250000], function($i) { $length($states.input.a) }))",
    "zip": "$count($map([1..100000], function($i) { $zip($states.input.numbers, $states.input.numbers) }))",
    "descendants": "$count($map([1..100000], function($i) { $states.input.** }))",
    "spread": "$count($map([1..100000], function($i) { $spread($states.input.objects) }))",
    "text-of-all": "$count($map([1..200000], function($i) { $string($states.input.objects) }))",
    "objects": "($f := function($n) { ($x := {'a': $n, 'b': {'c': $n, 'd': [$n]}}; $f($x.b.c + 1)) }; $f(0))",
}

# Expressions that take long elsewhere, with what they give here.
JSONATA_ANSWERED = {
    "distinct": ("$count($distinct([1..50000]))", "50000"),
    "nested-quantifiers": ("$contains($states.input.a & $states.input.a, /^(a+)+b$/)", "false"),
    "alternatives": ("$contains($states.input.a & $states.input.a, /(a|a)*b/)", "false"),
    "polynomial": ("$contains($states.input.a & $states.input.a, /(.*)(.*)(.*)(.*)x/)", "false"),
    "many-matches": ("$length($replace($states.input.a & $states.input.a, /a/, 'b'))", "240000"),
    "many-parts": ("$count($split($states.input.a & $states.input.a, /a/))", "240001"),
    "range-of-ranges": ("$count($map([1..100000], function($i) { [1..200000] }))", "100000"),
}

# Such a width and such a range are refused before anything is made.
JSONATA_REFUSED = {"pad-beyond": "$pad('', 2000000000)", "range-beyond": "[1..100000000]"}

STARS = "*a" * 500 + "*b"


def passing(**fields):
    return {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True, **fields}}}


def choosing(**rule):
    states = {"C": {"Type": "Choice", "Choices": [{**rule, "Next": "E"}], "Default": "E"}, "E": {"Type": "Succeed"}}
    return {"StartAt": "C", "States": states}


def nested_format(depth):
    call = "$.a"
    for _ in range(depth):
        call = f"States.Format('{{}}{{}}{{}}{{}}{{}}{{}}{{}}{{}}', {', '.join([call] * 2)}, 1, 2, 3, 4, 5, 6)"
    return call


# Definitions of JSONPath: they may succeed or fail, but end.
JSONPATH = {
    "deep-scans": passing(Parameters={"x.$": "$..a..a..a..a"}),
    "deep-filter": passing(Parameters={"x.$": "$..[?(@..a)]"}),
    "filter-of-filters": passing(Parameters={"x.$": "$.objects[?(@.id in $.numbers)].name"}),
    "filter-regex": passing(Parameters={"x.$": "$[?(@ =~ /(a+)+b/)]"}),
    "unions": passing(Parameters={"x.$": "$..['a','b','id','name']"}),
    "format": passing(Parameters={"x.$": nested_format(3)}),
    "contains": passing(Parameters={f"x{number}.$": "States.ArrayContains($.numbers, -1)" for number in range(200)}),
    "unique": passing(Parameters={"x.$": "States.ArrayUnique($.objects)"}),
    "stars": choosing(Variable="$.a", StringMatches=STARS),
}


def jsonata(expression):
    return passing(QueryLanguage="JSONata", Output="{% " + expression + " %}")
