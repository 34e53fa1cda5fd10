"""Units of drug amounts, and which of them can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# A unit by its words and its code of incident-based reporting, the unit that packs limit by, and how many of that it
# is. The first word is the one shown. Ounces and pounds are avoirdupois. XX (not reported) is missing on purpose.
_UNITS = (
    ("g GRAM GRAMS GM", "g", "1"),
    ("mg MILLIGRAM MILLIGRAMS", "g", "0.001"),
    ("kg KILOGRAM KILOGRAMS", "g", "1000"),
    ("oz OUNCE OUNCES", "g", "28.349523125"),
    ("lb POUND POUNDS", "g", "453.59237"),
    ("dosage_units DOSAGE_UNIT DU", "dosage_units", "1"),
    ("plants PLANT NP", "plants", "1"),
    ("ml MILLILITER MILLILITERS MILLILITRE MILLILITRES", "ml", "1"),
    ("l LITER LITERS LITRE LITRES LT", "ml", "1000"),
    ("fl_oz FLUID_OUNCE FLUID_OUNCES FO", "ml", "29.5735295625"),
    ("gal GALLON GALLONS GL", "ml", "3785.411784"),
)
# More than this is over any limit; cutting there keeps sums exact and short.
_ABSURD = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit that packs limit by, how many of it one of the given unit is, and how the given unit is shown."""

    unit: str
    factor: Decimal
    shown: str


_BY_WORD = {
    word.upper(): Measure(unit, Decimal(factor), words.split()[0])
    for words, unit, factor in _UNITS
    for word in words.split()
}


def measure(unit: str | None) -> Measure | None:
    """Return what the unit measures, or None when it is unknown or "not reported"."""
    word = "_".join((unit or "").upper().replace("_", " ").split())
    return _BY_WORD.get(word)


def amount_in(wanted: str, quantity: Decimal | None, unit: str | None) -> Decimal | None:
    """Return the amount in the wanted unit, or None when it is not known or not comparable. None is never zero."""
    measured = measure(unit)
    if quantity is None or measured is None or measured.unit != wanted:
        return None
    if not quantity.is_finite() or quantity < 0:
        return None
    return min(quantity, _ABSURD) * measured.factor


def written(quantity: Decimal | None, unit: str | None) -> str:
    """Return an amount as it was given, such as `4 g`, or what is missing of it."""
    if quantity is None:
        return "amount not given"
    measured = measure(unit)
    return f"{quantity}, unit not reported" if measured is None else f"{quantity} {measured.shown}"
