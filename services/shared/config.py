"""Reads a process's configuration: a TOML file into a frozen dataclass, once, before anything starts.

Whatever is wrong is told at once, with what to do about it and never with the value, which may be a secret. Later
sources win: defaults of the dataclass, the file, `LEADX_<FIELD>` in the environment (`LEADX_TLS_CA` for field `ca` of
section `tls`), overrides from the command line.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from services.shared import config_values

PREFIX = "LEADX_"
_T = TypeVar("_T")
_ABSENT = object()


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has one line for each thing that is wrong."""

    def __init__(self, source: str, problems: list[str]) -> None:
        """Name the source and keep the problems."""
        super().__init__("\n".join([f"{source} cannot be used:", *(f"  {problem}" for problem in problems)]))
        self.problems = tuple(problems)


def load(
    cls: type[_T],
    path: Path | None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> _T:
    """Return the configuration that a frozen dataclass describes; sections of the file are nested dataclasses.

    `path` is the TOML file, None for none; relative paths in it count from its folder. `overrides` has the file's
    form. Fields may be str, int, float, bool, Path, timedelta (seconds), enums, tuples and dicts of these, dataclasses,
    and any of them or None. Raises ConfigError, naming every wrong, unknown and missing key at once.
    """
    source = "the configuration" if path is None else path.name
    reader = _Reader(os.environ if environ is None else environ, path.parent if path else Path())
    found = reader.section(cls, _parsed(path), overrides or {}, ())
    if reader.problems:
        raise ConfigError(source, sorted(reader.problems))
    return cast(_T, found)


def _parsed(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(path.name, [f"cannot be read ({type(error).__name__}): check that {path} is there"]) from None
    except UnicodeDecodeError:
        raise ConfigError(path.name, ["is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        # The parser's own text may quote the line; its end tells where.
        place = str(error).rpartition("(")[2].rstrip(")")
        raise ConfigError(path.name, [f"is not TOML: look {place}"]) from None


class _Reader:
    """Walks a dataclass and its sources side by side and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.problems: list[str] = []

    def section(self, cls: type, given: Any, overrides: Any, place: tuple[str, ...]) -> object:
        """Return an instance of the dataclass, or None after noting why there is none."""
        if not (isinstance(given, Mapping) and isinstance(overrides, Mapping)):
            self._note(place, "must be a section of its own")
            return None
        before = len(self.problems)
        hints = config_values.hints(cls)
        self._unknown(set(hints), [*given, *overrides], place)
        values = {
            field.name: self._field(field, hints[field.name], (given, overrides), place)
            for field in dataclasses.fields(cls)
            if field.init
        }
        if len(self.problems) > before:
            return None
        try:
            return cast(object, cls(**{name: value for name, value in values.items() if value is not _ABSENT}))
        except ValueError as error:
            # What the dataclass itself checks; its texts are ours and hold no value.
            self._note(place, str(error))
            return None

    def _field(
        self, field: dataclasses.Field[Any], hint: Any, sources: tuple[Mapping[str, Any], ...], place: tuple[str, ...]
    ) -> object:
        here = (*place, field.name)
        given, override = (source.get(field.name, _ABSENT) for source in sources)
        nested = config_values.dataclass_in(hint)
        if nested is not None:
            return self._nested(field, nested, given, override, here)
        if override is not _ABSENT:
            return self._value(hint, override, here, Path())
        text = self._environ.get(_variable(here))
        if text is not None:
            return self._value(hint, config_values.from_text(hint, text), here, Path())
        if given is not _ABSENT:
            return self._value(hint, given, here, self._folder)
        if _required(field):
            wish = config_values.wish(hint)
            self._note(here, f"is required: set it in the file, or {_variable(here)}; it is {wish}")
        return _ABSENT

    def _nested(
        self, field: dataclasses.Field[Any], nested: type, given: Any, override: Any, here: tuple[str, ...]
    ) -> object:
        named = given is not _ABSENT or override is not _ABSENT
        named = named or any(name.startswith(_variable(here) + "_") for name in self._environ)
        if not named and not _required(field):
            return _ABSENT
        return self.section(nested, {} if given is _ABSENT else given, {} if override is _ABSENT else override, here)

    def _value(self, hint: Any, given: object, here: tuple[str, ...], folder: Path) -> object:
        try:
            return config_values.convert(hint, given, folder)
        except (ValueError, OverflowError):
            self._note(here, f"must be {config_values.wish(hint)}")
            return None

    def _unknown(self, known: set[str], given: list[str], place: tuple[str, ...]) -> None:
        for name in sorted(set(given) - known):
            near = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {near[0]}?" if near else f"remove it; known here: {', '.join(sorted(known))}"
            self._note((*place, name), f"is unknown: {advice}")

    def _note(self, place: tuple[str, ...], problem: str) -> None:
        self.problems.append(f"{'.'.join(place) or 'it'} {problem}")


def _variable(place: tuple[str, ...]) -> str:
    return PREFIX + "_".join(place).upper()


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
