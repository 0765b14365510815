"""Make sure that Daybook gets its own packages. Imports none of them before it knows that they are its own.

They have names that others use as well: a notebook in a folder with a ``commands/`` of its own would get that one.
"""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path

PARTS = ("ledger", "projections", "migrations", "commands")
_WRONG_USAGE = 2


def make_sure() -> None:
    """Bind the names to Daybook's own packages for the life of this process.

    Raises ImportError where another one is in the way. The command says so and ends: its users see no traceback.
    """
    try:
        for name in PARTS:
            _check(name)
        for name in PARTS:
            import_module(name)
    except ImportError as error:
        if _is_command(sys.argv):
            print(f"daybook: {error}", file=sys.stderr)
            raise SystemExit(_WRONG_USAGE) from None
        raise


def _check(name: str) -> None:
    own = Path(__file__).resolve().parent.parent / name
    found = _found(name)
    if found == own:
        return
    if found is None or not own.is_dir():
        raise ImportError(
            f'Daybook misses its own package "{name}" ({own}). Install daybook-ledger again.', name=name
        )
    raise ImportError(
        f'"{name}" is {found} here, and Daybook needs its own ({own}). Rename the one in the way, or start in another '
        "folder; a PYTHONPATH that leads to it is in the way too.",
        name=name,
        path=str(found),
    )


def _found(name: str) -> Path | None:
    """The folder of the package that ``import name`` gives, or the file of a module; None where there is none."""
    module = sys.modules.get(name)
    spec = module.__spec__ if module is not None else importlib.util.find_spec(name)
    if spec is None:
        return None if module is None else Path(getattr(module, "__file__", None) or name)
    places = spec.submodule_search_locations
    return Path(next(iter(places)) if places else spec.origin or name).resolve()


def _is_command(arguments: list[str]) -> bool:
    """Whether this process is the installed script ``daybook`` (on Windows daybook.exe)."""
    return bool(arguments) and Path(arguments[0]).stem == "daybook"
