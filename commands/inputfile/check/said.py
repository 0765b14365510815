"""What stage 2 says of a file, and at which place of it."""

from collections.abc import Callable, Iterable, Mapping

from commands.inputfile.document import Part, path_text
from commands.inputfile.findings import Finding, NextStep
from commands.inputfile.kept_findings import Gathered
from commands.inputfile.limits import Limits
from commands.inputfile.reference_values import quoted

Parts = tuple[Part, ...]


class Said:
    """``position`` is where something of the document stands, ``cut`` what YAML cut from bare values."""

    def __init__(
        self,
        position: Callable[[str], tuple[int, int] | None],
        cut: Mapping[str, tuple[str, ...]],
        limits: Limits,
    ) -> None:
        self.gathered = Gathered(limits)
        self.cut = cut
        self._position = position

    @property
    def is_full(self) -> bool:
        """Whether findings are only counted by now, so that no hint is worth looking for."""
        return self.gathered.is_full

    def error(
        self,
        parts: Iterable[Part],
        code: str,
        message: str,
        hint: str = "",
        steps: tuple[NextStep, ...] = (),
        *,
        stage: int = 2,
    ) -> None:
        self._add(Finding(stage, "error", code, path_text(tuple(parts)), None, None, message, hint, steps))

    def warn(self, parts: Iterable[Part], code: str, message: str, hint: str = "") -> None:
        self._add(Finding(2, "warning", code, path_text(tuple(parts)), None, None, message, hint))

    def _add(self, finding: Finding) -> None:
        self.gathered.add(finding, self._position)

    def refuse_cut(self, parts: Parts, what: str, value: str, exists: Callable[[str], bool]) -> None:
        """A bare value that YAML cut at `` #`` is an error where the longer value exists."""
        for longer in self.cut.get(path_text(parts), ()) if self.cut else ():
            if exists(longer):
                message = (
                    f"{what} is {quoted(value)}, cut where a comment begins; there is {quoted(longer)} too."
                )
                hint = f"Put it in quotes, whichever is meant: {quoted(longer)} or {quoted(value)}"
                self.error(parts, "cut-at-comment", message, hint)
                return

    def item(self, parts: Parts, index: int) -> Parts:
        """The place of one of several values; a single value may stand without a list."""
        item = (*parts, index)
        is_listed = index > 0 or self._position(path_text(item)) != self._position(path_text(parts))
        return item if is_listed else parts
