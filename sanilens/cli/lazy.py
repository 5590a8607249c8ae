"""Commands that are imported when they are called: torch and transformers take seconds to load."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class LazyCommand(TyperCommand):
    """Stands for `<module>.<name>`, a function or a Typer of subcommands.

    Its help is read from the module's source, where it is written, without importing it.
    """

    def __init__(self, name: str, module: str) -> None:
        super().__init__(name, help=written_help(module, name))
        self.module = module

    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself; imports its module."""
        found = getattr(import_module(self.module), str(self.name))
        holder = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=self.name)
        else:
            holder.command(self.name)(found)
        command = get_group(holder).commands[str(self.name)]
        assert isinstance(command, TyperCommand | TyperGroup)
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Called once the command is chosen: what runs from here on is the command itself."""
        return self.loaded().make_context(info_name, args, parent, **extra)


def written_help(module: str, name: str) -> str:
    """The docstring of a command function, or `help=` of a Typer, in the module's source.

    Raises LookupError if the module defines no such command.
    """
    found = find_spec(module)
    assert found, module
    assert found.origin, module
    source = Path(found.origin).read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=found) if found == name:
                return ast.get_docstring(node) or ""
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Call() as call) if (
                found == name
            ):
                given = {keyword.arg: keyword.value for keyword in call.keywords}
                return ast.literal_eval(given["help"])
    raise LookupError(f"{module} defines no command {name}")
