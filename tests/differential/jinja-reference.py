"""Renders templates with Jinja2, the reference of the template language.

Reads one JSON object a line, {"template": text, "context": {...}}, and answers each with one line:
{"text": printed} or {"error": kind}; a lone {{ expression }} adds "value", its native value as
JSON, where JSON can say it.
"""

import json
import sys

from jinja2 import ChainableUndefined, Environment, TemplateSyntaxError
from jinja2.exceptions import TemplateAssertionError

UNSAYABLE = object()


def say(value, depth=0):
    """The value as JSON data, or UNSAYABLE."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else UNSAYABLE
    if isinstance(value, (list, tuple)):
        items = [say(item, depth + 1) for item in value]
        return UNSAYABLE if any(item is UNSAYABLE for item in items) else items
    if isinstance(value, dict):
        pairs = {key: say(item, depth + 1) for key, item in value.items()}
        if any(not isinstance(key, str) for key in pairs):
            return UNSAYABLE
        return UNSAYABLE if any(item is UNSAYABLE for item in pairs.values()) else pairs
    return UNSAYABLE


def answer(environment, template, context):
    try:
        compiled = environment.from_string(template)
    except (TemplateSyntaxError, TemplateAssertionError):
        return {"error": "syntax"}
    try:
        result = {"text": compiled.render(**context)}
    except Exception:
        return {"error": "runtime"}
    body = template.strip()
    if body.startswith("{{") and body.endswith("}}") and body.count("{{") == 1:
        try:
            value = say(environment.compile_expression(body[2:-2].strip("-+"))(**context))
            if value is not UNSAYABLE:
                result["value"] = value
        except Exception:
            pass
    return result


def main():
    environment = Environment(undefined=ChainableUndefined)
    for line in sys.stdin:
        given = json.loads(line)
        reply = answer(environment, given["template"], given["context"])
        sys.stdout.write(json.dumps(reply) + "\n")


main()
