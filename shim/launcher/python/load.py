"""Finds the handler: imports its module from the function's tree and looks the name up.

How a handler is called is decided once, here: one that can take no more than one positional
argument is OpenWhisk's `main(params)`; every other is Lambda's `handler(event, context)`.
"""

import gc
import os
import sys
import types

# Names listed where something was not found.
LISTED = 20

# Where a tree holds its packages. Not a site folder: no *.pth file is looked at.
PACKAGES = "site-packages"

# Thread pools of numerical libraries. An instance is bound to its lane's core, where a pool only
# costs; and a zygote with a pool cannot be forked. A function's environment may say otherwise.
POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class HandlerNotFound(Exception):
    """The name in `handler` leads to nothing that can be called."""


class HandlerUnusable(Exception):
    """The handler can be called but not with an event."""


class ThreadsAtImport(Exception):
    """The module left threads running, so that its process cannot be forked."""


def names(found):
    """A readable list of what there is."""
    found = sorted(found)
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return (", ".join(found[:LISTED]) or "nothing") + more


def modules_in(tree):
    """The modules that a handler of this tree can name."""
    for entry in os.scandir(tree):
        if entry.name.endswith(".py"):
            yield entry.name[:-3]
        elif entry.is_dir() and not entry.name.startswith(("_", ".")) and entry.name != PACKAGES:
            yield entry.name


def callables_in(module):
    """The functions that the module itself defines."""
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if own and callable(value) and not name.startswith("_"):
            yield name


def positional(handler):
    """How many positional arguments `handler` needs and how many it can take."""
    if type(handler) is types.FunctionType:
        code = handler.__code__
        # 4 is CO_VARARGS: then a wrapped function, if any, knows better; inspect finds it.
        if not code.co_flags & 4 and not code.co_kwonlyargcount:
            most = code.co_argcount
            return most - len(handler.__defaults__ or ()), most
    # Costs milliseconds, and most handlers are plain functions.
    import inspect

    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return 2, 2
    needs = takes = 0
    for parameter in parameters:
        required = parameter.default is parameter.empty
        if parameter.kind is parameter.VAR_POSITIONAL:
            takes = max(takes, 2)
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            takes += 1
            needs += required
        elif parameter.kind is parameter.KEYWORD_ONLY and required:
            raise HandlerUnusable(f"the handler needs the keyword argument {parameter.name!r}")
    return needs, takes


def find(tree, path):
    """The handler that `path` names, and whether it takes a context."""
    module_name, dot, name = path.replace("/", ".").rpartition(".")
    if not dot or not module_name or not name:
        raise HandlerNotFound(f"the handler {path!r} is not of the form module.function")
    for pool in POOLS:
        os.environ.setdefault(pool, "1")
    sys.path.insert(0, tree)
    packages = os.path.join(tree, PACKAGES)
    if os.path.isdir(packages):
        sys.path.append(packages)
    try:
        __import__(module_name)
    except ModuleNotFoundError as error:
        # Only where the handler's own module is missing: its imports speak for themselves.
        if error.name and (module_name + ".").startswith(error.name + "."):
            error.msg += f"; the function's tree holds: {names(modules_in(tree))}"
            error.args = (error.msg,)
        raise
    module = sys.modules[module_name]
    try:
        handler = getattr(module, name)
    except AttributeError:
        raise HandlerNotFound(
            f"module {module_name!r} has no {name!r}; it defines: {names(callables_in(module))}"
        ) from None
    if not callable(handler):
        kind = type(handler).__name__
        raise HandlerUnusable(f"{path!r} is of type {kind} and cannot be called")
    # 128, 256, 512: a coroutine, an iterable coroutine, an asynchronous generator.
    if getattr(getattr(handler, "__code__", None), "co_flags", 0) & (128 | 256 | 512):
        raise HandlerUnusable(f"{path!r} is asynchronous; a handler returns its result")
    needs, takes = positional(handler)
    if needs > 2 or takes < 1:
        raise HandlerUnusable(
            f"{path!r} takes from {needs} to {takes} positional arguments; "
            "a handler is called as handler(event, context) or as main(params)"
        )
    return handler, takes > 1


def python_threads():
    """How many threads have Python state, this one included."""
    return len(sys._current_frames())


def threads_left(module_name):
    """The error that names what started the threads that are left after the import."""
    threading = sys.modules.get("threading")
    own = [t.name for t in threading.enumerate()[1:]] if threading else []
    if python_threads() > 1:
        what = f"Python threads: {names(own)}"
    else:
        native = [
            name
            for name, module in list(sys.modules.items())
            if (getattr(module, "__file__", None) or "").endswith(".so")
            and "/lib-dynload/" not in module.__file__
        ]
        what = f"threads of a native library; extension modules: {names(native)}"
    return ThreadsAtImport(
        f"the import of {module_name!r} left threads running, so that no worker can be forked "
        f"from it ({what}); start them in the handler instead, or write reuse = \"fresh-import\", "
        "under which each worker imports for itself"
    )


def settle():
    """Moves what is loaded out of the collector's reach, so that forks go on sharing it."""
    gc.collect()
    gc.freeze()
