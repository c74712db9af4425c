# The program inside a warm python3 process: reads one request a line from descriptor 3, runs its
# code in a fresh __main__ module and answers one line on descriptor 4. Descriptors 1 and 2 belong
# to user code; a marker written to both after each call tells the worker where its output ends.
# It restores what one call could leave for the next, and says when it can't: then it is replaced.

import _signal
import builtins
import gc
import json
import os
import resource
import sys
import time
import types

PID = os.getpid()


# --- process ------------------------------------------------------------------------------------


def limit_process(settings):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    address_bytes = settings["address_bytes_max"]
    if address_bytes > 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (address_bytes, address_bytes))
        except (ValueError, OSError):
            pass  # a lower hard limit is already in force
    try:
        # When memory runs out, the kernel should end this process and never the worker.
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError:
        pass


def die_with_worker(descriptor):
    """Has the kernel kill this process group as soon as the worker's end of a socket is gone."""
    try:
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgid(0))
        fcntl.fcntl(descriptor, getattr(fcntl, "F_SETSIG", 10), int(_signal.SIGKILL))
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    except (ImportError, OSError, AttributeError, ValueError):
        pass  # elsewhere than on Linux an idle runner ends at the end of its requests


def text_stream(descriptor):
    return open(
        descriptor,
        "w",
        buffering=1,
        encoding="utf-8",
        errors="backslashreplace",
        closefd=False,
    )


def signal_handlers():
    handlers = []
    for number in range(1, _signal.NSIG):
        try:
            handlers.append(_signal.getsignal(number))
        except ValueError:
            handlers.append(None)
    return handlers


class Baseline:
    """The process as it was before any user code; `restore` brings a used one back to it."""

    def __init__(self):
        self.descriptors = [os.dup(number) for number in (0, 1, 2)]
        self.environment = dict(os.environ)
        self.folder = os.getcwd()
        self.path = list(sys.path)
        self.arguments = [""]
        self.builtins = dict(vars(builtins))
        self.recursion = sys.getrecursionlimit()
        self.hooks = (sys.excepthook, sys.displayhook, sys.unraisablehook)
        self.main = sys.modules["__main__"]
        self.stdin = sys.stdin
        self.stdout = text_stream(1)
        self.stderr = text_stream(2)
        self.umask = os.umask(0o022)
        os.umask(self.umask)
        self.handlers = signal_handlers()

    def attach(self):
        if self.stdout.closed:
            self.stdout = text_stream(1)
        if self.stderr.closed:
            self.stderr = text_stream(2)
        if self.stdin is None or self.stdin.closed:
            self.stdin = open(0, "r", encoding="utf-8", closefd=False)
        sys.stdin, sys.stdout, sys.stderr = self.stdin, self.stdout, self.stderr
        sys.argv = list(self.arguments)

    def flush(self):
        for stream in (sys.stdout, sys.stderr, self.stdout, self.stderr):
            try:
                stream.flush()
            except Exception:
                pass  # user code closed or replaced it: what it held is its own loss

    def restore(self):
        for number, saved in enumerate(self.descriptors):
            os.dup2(saved, number, inheritable=True)
        os.set_blocking(1, True)
        os.set_blocking(2, True)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        try:
            os.chdir(self.folder)
        except OSError:
            pass  # the folder was removed: the next call starts where this one ended
        os.umask(self.umask)
        sys.path[:] = self.path
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(self.recursion)
        sys.excepthook, sys.displayhook, sys.unraisablehook = self.hooks
        sys.modules["__main__"] = self.main
        known = builtins.__dict__
        if known != self.builtins:
            for name in known.keys() - self.builtins.keys():
                del known[name]
            known.update(self.builtins)
        random = sys.modules.get("random")
        if random is not None:
            random.seed()
        gc.enable()

    def leftovers(self, settings):
        """What user code left that can't be undone here; None if the process is as good as new."""
        if len(sys._current_frames()) > 1:
            return "threads"
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
            return "children"
        except ChildProcessError:
            pass
        if _signal.getitimer(_signal.ITIMER_REAL)[0] != 0.0:
            return "timer"
        if signal_handlers() != self.handlers:
            return "signal handlers"
        if peak_resident_bytes(settings["resident_bytes_max"]) > settings["resident_bytes_max"]:
            return "memory"
        return None


def peak_resident_bytes(look_above):
    """The most memory this program ever had. What the kernel's accounting says first may be
    the size of the worker that started us: it is carried over into a new program. The exact
    figure takes longer to read, and is asked for only where the first one is above the bound."""
    counted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if counted <= look_above:
        return counted
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return counted


# --- calls --------------------------------------------------------------------------------------


def prepare(request):
    os.environ.update(request["env"])
    if request["cwd"] is not None:
        os.chdir(request["cwd"])
    module = types.ModuleType("__main__")
    context = {
        "args": request["args"],
        "variables": request["variables"],
        "execution_id": request["execution_id"],
        "step": request["step"],
        "server_url": request["server_url"],
        "idempotency_key": request["idempotency_key"],
    }
    inputs = {
        "args": request["args"],
        "input_data": request["args"],
        "variables": request["variables"],
        "execution_id": request["execution_id"],
        "step": request["step"],
        "context": context,
    }
    names = vars(module)
    names.update(request["args"])
    names.update(inputs)
    names.update(__name__="__main__", __builtins__=builtins)
    sys.modules["__main__"] = module
    return module, inputs


def import_libraries(request, module):
    if not request["libs"]:
        return
    import importlib

    for alias, library in request["libs"].items():
        setattr(module, alias, importlib.import_module(library))


def run_call(request):
    module = None
    try:
        module, inputs = prepare(request)
        import_libraries(request, module)
        return value_answer(run_code(request, module, inputs), request)
    except SystemExit as error:
        code = exit_code(error)
        if code != 0 or module is None:
            return {"status": "exit", "code": code}, None
        return ended_early(request, module)
    except BaseException as error:
        return error_answer(error, request), None


def ended_early(request, module):
    """sys.exit(0) is a normal end with the result so far."""
    try:
        return value_answer(awaited(vars(module).get("result")), request)
    except BaseException as error:
        return error_answer(error, request), None


def write_all(descriptor, data):
    view = memoryview(data)
    while len(view) > 0:
        view = view[os.write(descriptor, view) :]


def serve(requests, baseline, settings):
    while True:
        line = requests.readline()
        if not line:
            return
        request = with_room_for_nesting(lambda: json.loads(line))
        started = time.perf_counter()
        baseline.attach()
        answer, value = run_call(request)
        baseline.flush()
        if os.getpid() != PID:
            os._exit(0)  # user code forked: the copy ends where its parent goes on
        baseline.restore()
        answer["id"] = request["id"]
        answer["duration_ms"] = (time.perf_counter() - started) * 1000
        answer["leftover"] = baseline.leftovers(settings)
        marker = request["marker"].encode("ascii")
        write_all(1, marker)
        write_all(2, marker)
        head = json.dumps(answer, separators=(",", ":")).encode("ascii")
        write_all(4, head + b"\n" if value is None else head[:-1] + b',"result":' + value + b"}\n")


def start(requests):
    for descriptor in (3, 4, 5):
        os.set_inheritable(descriptor, False)
    die_with_worker(5)
    settings = json.loads(requests.readline())
    limit_process(settings)
    gc.freeze()
    serve(requests, Baseline(), settings)


try:
    start(requests)  # noqa: F821 - bound by the one line that loads this program
except BaseException:
    import traceback

    traceback.print_exc()
    os._exit(70)
os._exit(0)
