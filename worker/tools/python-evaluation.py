# How the python runner evaluates code: what counts as the result, how it becomes JSON, what is said
# of an exception. It touches nothing of the process. Loaded before python-runner.py, same globals.

import json
import re
import sys
import types

RUNNER_FILE = "<noetl runner>"
SAFE_INTEGER = 2**53 - 1
MANY_DIGITS = re.compile(r"[0-9]{16}")
LONG_INTEGER = re.compile(r"(?<![\d.])\d{16,}(?![\d.eE])")
COMPILED_MAX = 256
GENERATOR_FLAGS = 0x20 | 0x200
VARIADIC_KEYWORDS_FLAG = 0x08


class NotJson(Exception):
    """The result can't be told in JSON; the text says why."""


# --- code ---------------------------------------------------------------------------------------


class Compiled:
    def __init__(self, code, wrapped):
        self.code = code
        self.wrapped = wrapped


compiled_by_source = {}


def compiled(source, filename):
    key = (source, filename)
    found = compiled_by_source.get(key)
    if found is None:
        if len(compiled_by_source) >= COMPILED_MAX:
            compiled_by_source.clear()
        found = compiled_by_source[key] = compile_source(source, filename)
    return found


def compile_source(source, filename):
    try:
        return Compiled(compile(source, filename, "exec", dont_inherit=True), False)
    except SyntaxError as error:
        if "outside" not in str(error.msg):
            raise
        return Compiled(compile_as_function(source, filename, error), True)


def compile_as_function(source, filename, error):
    """A top-level `return` or `await` makes the code a function body whose names are global."""
    import ast

    tree = ast.parse(source, filename)
    head = [node for node in tree.body if is_future_import(node, ast)]
    body = [without_annotations(node, ast) for node in tree.body if node not in head]
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        try:
            first = function_code(kind, head, body, filename)
            names = sorted({*first.co_varnames, *first.co_cellvars})
            shared = [ast.Global(names=names)] if names else []
            code = function_code(kind, head, [*shared, *body], filename)
        except SyntaxError as problem:
            if kind is ast.FunctionDef and "async" in str(problem.msg):
                continue
            raise problem from None
        if code.co_flags & GENERATOR_FLAGS:
            raise error
        return code
    raise error


def is_future_import(node, ast):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def function_code(kind, head, body, filename):
    import ast

    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = kind(name="_", args=empty, body=body, decorator_list=[], type_params=[])
    module = ast.fix_missing_locations(ast.Module(body=[*head, function], type_ignores=[]))
    outer = compile(module, filename, "exec", dont_inherit=True)
    for constant in outer.co_consts:
        if isinstance(constant, types.CodeType):
            return constant.replace(co_name="<module>")
    raise SystemError("expected a function in the compiled module, found none")


def without_annotations(statement, ast):
    """`x: int = 1` as `x = 1`: an annotated name can't be declared global."""

    class Strip(ast.NodeTransformer):
        def keep(self, node):
            return node

        visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = keep

        def visit_AnnAssign(self, node):
            if not isinstance(node.target, ast.Name):
                return node
            if node.value is None:
                return ast.copy_location(ast.Pass(), node)
            return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    return Strip().visit(statement)


def run_code(request, module, inputs):
    program = compiled(request["code"], request["file"])
    names = vars(module)
    value = None
    if program.wrapped:
        value = awaited(types.FunctionType(program.code, names)())
    else:
        exec(program.code, names)
    if value is None:
        value = awaited(names.get("result"))
    if value is None and callable(names.get("main")):
        value = awaited(names["main"](**main_arguments(names["main"], request["args"], inputs)))
    return value


def awaited(value):
    if not hasattr(type(value), "__await__"):
        return value
    import asyncio

    async def wait():
        return await value

    return asyncio.run(wait())


def main_arguments(main, args, inputs):
    names, takes_all = keyword_parameters(main)
    chosen = dict(args) if takes_all else {}
    for name in names:
        if name in args:
            chosen[name] = args[name]
        elif name in inputs:
            chosen[name] = inputs[name]
    return chosen


def keyword_parameters(main):
    """The names that may be passed as keywords, and whether every other may too."""
    if isinstance(main, types.FunctionType) and not hasattr(main, "__wrapped__"):
        code = main.__code__
        last = code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[code.co_posonlyargcount : last]
        return names, bool(code.co_flags & VARIADIC_KEYWORDS_FLAG)
    import inspect

    parameters = inspect.signature(main, follow_wrapped=True).parameters.values()
    keywords = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [parameter.name for parameter in parameters if parameter.kind in keywords]
    return names, any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


# --- answers ------------------------------------------------------------------------------------


def compact_json(value):
    return json.dumps(
        value, default=str, allow_nan=False, separators=(",", ":"), ensure_ascii=False
    )


# Data may be nested 2,000 levels deep, of which a level takes up to three frames.
JSON_RECURSION = 8_000


def with_room_for_nesting(work):
    """Runs it with more room for recursion than user code has: nesting is bounded elsewhere."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, JSON_RECURSION))
    try:
        return work()
    finally:
        sys.setrecursionlimit(limit)


def json_text(value):
    return with_room_for_nesting(lambda: json_text_of(value))


def json_text_of(value):
    try:
        text = compact_json(value)
        # JavaScript's numbers end at 2^53: a longer integer travels as decimal text. The first
        # pattern is the cheaper one, and mostly finds nothing.
        if MANY_DIGITS.search(text) and LONG_INTEGER.search(text):
            text = compact_json(with_long_integers_as_text(value))
        return text
    except RecursionError:
        raise NotJson("it is nested too deep") from None
    except (ValueError, TypeError) as error:
        raise NotJson(str(error)) from None


def with_long_integers_as_text(value):
    if isinstance(value, int):
        return int.__repr__(value) if abs(value) > SAFE_INTEGER else value
    if isinstance(value, dict):
        return {key: with_long_integers_as_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_long_integers_as_text(item) for item in value]
    return value


def json_bytes(value):
    text = json_text(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair: escaped, it is still JSON
        escaped = with_room_for_nesting(
            lambda: json.dumps(json.loads(text), separators=(",", ":"))
        )
        return escaped.encode("ascii")


def cut(text, chars_max):
    """The end of a text, where Python says what went wrong."""
    return text if len(text) <= chars_max else "..." + text[3 - chars_max :]


def text_of(error):
    try:
        detail = str(error)
    except Exception:
        detail = "(its text can't be made)"
    name = type(error).__name__
    return f"{name}: {detail}" if detail else name


def traceback_text(error, request):
    import linecache
    import traceback

    source, filename = request["code"], request["file"]
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    try:
        trace = user_frames(error.__traceback__, filename)
        return "".join(traceback.format_exception(type(error), error, trace))
    except Exception:
        return text_of(error)
    finally:
        linecache.cache.pop(filename, None)


def user_frames(trace, filename):
    """The trace from the first frame of user code on, without the runner's own frames before it."""
    frame = trace
    while frame is not None and frame.tb_frame.f_code.co_filename != filename:
        frame = frame.tb_next
    if frame is not None:
        return frame
    while trace is not None and trace.tb_frame.f_code.co_filename == RUNNER_FILE:
        trace = trace.tb_next
    return trace


def error_answer(error, request):
    return {
        "status": "error",
        "exception": type(error).__name__,
        "message": cut(text_of(error), request["message_chars_max"]),
        "traceback": cut(traceback_text(error, request), request["traceback_chars_max"]),
    }


def exit_code(error):
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1


def value_answer(value, request):
    """The answer for a value and the value's JSON, which travels beside the rest of the answer."""
    if value is None:
        return {"status": "none"}, None
    try:
        data = json_bytes(value)
    except NotJson as error:
        message = cut(str(error), request["message_chars_max"])
        return {"status": "not_json", "message": message}, None
    bytes_max = request["result_bytes_max"]
    if len(data) > bytes_max:
        return {"status": "too_large", "bytes": len(data), "bytes_max": bytes_max}, None
    return {"status": "ok"}, data
