"""No secret is a field of a command or of what it answers: receipts are kept for good, and hashed whole."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, SecretBytes, SecretStr

import commands
from commands.door import incidents
from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import Receipt, World
from commands.lab import people
from commands.lab.people import SetPerson
from ledger.signing_keys import SigningKey
from tests.conftest import ROOT

SECRET = re.compile(
    r"(^|_)(pass(word|wd|phrase|code)?|pwd|pin|secret|token|credentials?|cookie|otp|totp|recovery|private|seed|"
    r"salt|bearer|jwt|signing|(api|access|private|secret|signing|encryption)_?key|key)s?($|_)",
    re.IGNORECASE,
)
HARMLESS = {
    "public_key",  # of CreateLedger: what checkpoints are verified with
    "key",  # of a plan: the dedup key of a record
    "keys",
}
SECRET_TYPES: tuple[type, ...] = (SecretStr, SecretBytes, SigningKey, Ed25519PrivateKey)


def sounds_secret(name: str) -> bool:
    return name not in HARMLESS and SECRET.search(name) is not None


def every_command() -> list[type[Command]]:
    for module in pkgutil.walk_packages(commands.__path__, "commands."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = [], [Command]
    while todo:
        kinds = todo.pop().__subclasses__()
        todo += kinds
        found += [kind for kind in kinds if kind.__module__.startswith("commands.")]
    return found


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _types(argument)


def secrets_of(model: type, seen: set[type], where: str) -> Iterator[str]:
    """Fields of this model, and of the models that stand in it, that sound or are secret."""
    seen.add(model)
    named = (
        {name: field.annotation for name, field in model.model_fields.items()}
        if issubclass(model, BaseModel)
        else inspect.get_annotations(model, eval_str=True)
    )
    for name, annotation in named.items():
        if sounds_secret(name):
            yield f"{where}.{name}"
        for kind in _types(annotation):
            if not isinstance(kind, type):
                continue
            if issubclass(kind, SECRET_TYPES):
                yield f"{where}.{name}: {kind.__name__}"
            elif kind not in seen and (issubclass(kind, BaseModel) or is_dataclass(kind)):
                yield from secrets_of(kind, seen, f"{where}.{name}")


def result_fields(source: str) -> Iterator[str]:
    """Every text that is a key of a dict in a module that holds a command: among them is all that a receipt answers."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            yield from (
                key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            index = node.slice
            if isinstance(index, ast.Constant) and isinstance(index.value, str):
                yield index.value


def test_no_field_of_a_command_is_a_secret() -> None:
    kinds = every_command()

    assert len(kinds) >= 25
    assert [found for kind in kinds for found in secrets_of(kind, set(), kind.__name__)] == []


def test_nothing_that_a_command_answers_is_a_secret() -> None:
    modules = {inspect.getsourcefile(kind) for kind in every_command()}

    found = {
        f"{Path(str(module)).relative_to(ROOT)}: {name}"
        for module in modules
        for name in result_fields(Path(str(module)).read_text(encoding="utf-8"))
        if sounds_secret(name)
    }
    assert found == set()
    assert [field.name for field in fields(Receipt) if sounds_secret(field.name)] == []


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "token", "api_key", "secrets", "totp", "recovery_codes", "signing_key"],
)
def test_field_that_sounds_secret_is_found(name: str) -> None:
    kind = type("Planted", (BaseModel,), {"__annotations__": {name: str}})

    assert list(secrets_of(kind, set(), "Planted")) == [f"Planted.{name}"]
    assert name in list(result_fields(f"result = {{'{name}': 1}}")) and sounds_secret(name)


def test_field_whose_type_is_secret_is_found_wherever_it_stands() -> None:
    class Inner(BaseModel):
        text: SecretStr | None

    class Outer(BaseModel):
        inner: list[Inner]

    assert list(secrets_of(Outer, set(), "Outer")) == ["Outer.inner.text: SecretStr"]


def test_fault_while_a_name_is_written_keeps_nothing_of_it(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(_transaction: object, person: Any) -> None:
        raise RuntimeError(f"cannot write {person}")

    monkeypatch.setattr(people.people, "write", fails)
    canary, address = "Jane-Doe-canary", "canary@example.org"

    with pytest.raises(RuntimeError) as caught:
        daybook.submit(SetPerson(user="user_1", name=canary, email=address))
    _, file = incidents.record(caught.value, verb="daybook person set", beside=tmp_path)

    assert file is not None and "RuntimeError" in file.read_text()
    assert canary not in file.read_text() and address not in file.read_text()


def test_refusal_to_say_who_another_is_keeps_nothing_of_it(daybook: Daybook) -> None:
    canary = "Jane-Doe-canary"
    stranger = Daybook(daybook.ledger, Actor("user_2"))

    with pytest.raises(Exception, match="may not say who user_1 is"):
        stranger.submit(SetPerson(user="user_1", name=canary))

    def everything(world: World) -> str:
        return repr([world.transaction.run(f"SELECT * FROM {t}").fetchall() for t in ("events", "receipts")])

    with daybook.reading() as world:
        assert canary not in everything(world) and "ActionRefused" in everything(world)
