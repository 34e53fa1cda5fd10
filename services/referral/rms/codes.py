"""The NIBRS code tables that a referral needs, from the FBI's NIBRS user manual (2019 to 2023 editions).

Codes that a later edition dropped (90A, 90H, 90I) stay: an RMS may still send them.
"""

from __future__ import annotations

import re

# Element 6 (offences) and 45 (arrests).
OFFENCES = {
    "09A": "Murder and non-negligent manslaughter",
    "09B": "Negligent manslaughter",
    "09C": "Justifiable homicide",
    "100": "Kidnapping or abduction",
    "101": "Treason",
    "103": "Espionage",
    "11A": "Rape",
    "11B": "Sodomy",
    "11C": "Sexual assault with an object",
    "11D": "Fondling",
    "120": "Robbery",
    "13A": "Aggravated assault",
    "13B": "Simple assault",
    "13C": "Intimidation",
    "200": "Arson",
    "210": "Extortion or blackmail",
    "220": "Burglary, breaking and entering",
    "23A": "Pocket-picking",
    "23B": "Purse-snatching",
    "23C": "Shoplifting",
    "23D": "Theft from a building",
    "23E": "Theft from a coin-operated machine",
    "23F": "Theft from a motor vehicle",
    "23G": "Theft of motor vehicle parts",
    "23H": "Other larceny",
    "240": "Motor vehicle theft",
    "250": "Counterfeiting or forgery",
    "26A": "False pretences, swindle or confidence game",
    "26B": "Credit card or cash machine fraud",
    "26C": "Impersonation",
    "26D": "Welfare fraud",
    "26E": "Wire fraud",
    "26F": "Identity theft",
    "26G": "Hacking or computer invasion",
    "26H": "Money laundering",
    "270": "Embezzlement",
    "280": "Stolen property",
    "290": "Destruction, damage or vandalism of property",
    "30A": "Illegal entry into the United States",
    "30B": "False citizenship",
    "30C": "Smuggling of aliens",
    "30D": "Re-entry after deportation",
    "35A": "Drug or narcotic violation",
    "35B": "Drug equipment violation",
    "360": "Failure to register as a sex offender",
    "36A": "Incest",
    "36B": "Statutory rape",
    "370": "Pornography or obscene material",
    "39A": "Betting or wagering",
    "39B": "Operating, promoting or assisting gambling",
    "39C": "Gambling equipment violation",
    "39D": "Sports tampering",
    "40A": "Prostitution",
    "40B": "Assisting or promoting prostitution",
    "40C": "Purchasing prostitution",
    "49A": "Harbouring an escapee or concealing from arrest",
    "49B": "Flight to avoid prosecution",
    "49C": "Flight to avoid deportation",
    "510": "Bribery",
    "520": "Weapon law violation",
    "521": "Violation of the National Firearm Act",
    "522": "Weapons of mass destruction",
    "526": "Explosives",
    "58A": "Import violation",
    "58B": "Export violation",
    "61A": "Federal liquor offence",
    "61B": "Federal tobacco offence",
    "620": "Wildlife trafficking",
    "64A": "Human trafficking, commercial sex acts",
    "64B": "Human trafficking, involuntary servitude",
    "720": "Animal cruelty",
    "90A": "Bad checks",
    "90B": "Curfew, loitering or vagrancy",
    "90C": "Disorderly conduct",
    "90D": "Driving under the influence",
    "90E": "Drunkenness",
    "90F": "Family offence, non-violent",
    "90G": "Liquor law violation",
    "90H": "Peeping Tom",
    "90I": "Runaway",
    "90J": "Trespass of real property",
    "90K": "Failure to appear",
    "90L": "Federal resource violation",
    "90M": "Perjury",
    "90Z": "Other offence",
}

# Element 12, as far as a rule of a LEAD site may ask for it.
ACTIVITIES = {
    "B": "buying or receiving",
    "C": "cultivating, manufacturing or publishing",
    "D": "distributing or selling",
    "E": "exploiting children",
    "O": "operating, promoting or assisting",
    "P": "possessing or concealing",
    "T": "transporting, transmitting or importing",
    "U": "using or consuming",
}
# The gang codes and those for animal cruelty: valid, and not kept.
OTHER_ACTIVITIES = frozenset("AFGIJNS")

# Element 20.
DRUGS = {
    "A": "crack cocaine",
    "B": "cocaine",
    "C": "hashish",
    "D": "heroin",
    "E": "marijuana",
    "F": "morphine",
    "G": "opium",
    "H": "other narcotics",
    "I": "LSD",
    "J": "PCP",
    "K": "other hallucinogens",
    "L": "amphetamines or methamphetamines",
    "M": "other stimulants",
    "N": "barbiturates",
    "O": "other depressants",
    "P": "other drugs",
    "U": "unknown drug type",
    "X": "over three drug types",
}

# Element 22. XX is not in the table: it means that the quantity is not reported (laboratory pending).
UNITS = {
    "GM": "gram",
    "KG": "kilogram",
    "OZ": "ounce",
    "LB": "pound",
    "ML": "millilitre",
    "LT": "litre",
    "FO": "fluid ounce",
    "GL": "gallon",
    "DU": "dosage unit",
    "NP": "plant",
}
NOT_REPORTED = "XX"

# Elements 26, 37 and 47, as letters and as the words of the XML format: to age in years, or unknown.
AGE_WORDS: dict[str, tuple[int, int] | None] = {
    "NN": (0, 0),
    "NEONATAL": (0, 0),
    "NB": (0, 0),
    "NEWBORN": (0, 0),
    "BB": (0, 0),
    "BABY": (0, 0),
    "0": None,
    "00": None,
    "UNKNOWN": None,
}
# "Over 98".
OLDEST = 99

# Element 25: an individual and a police officer are persons; the others are businesses, offices, society.
VICTIM_KINDS = frozenset("IBFGLORSU")
VICTIM_PERSONS = frozenset("IL")

GROUP_A = "GROUP A INCIDENT REPORT"
GROUP_B = "GROUP B ARREST REPORT"
ZERO = "ZERO REPORT"
# An incident keeps its key when a later report of it adds assaulted officers or falls into the time window.
_GROUP_A = re.compile(rf"{GROUP_A}[ _-]*(LEOKA|TIME[ _-]WINDOW)?")


def category(written: str) -> str | None:
    """Return GROUP_A, GROUP_B or ZERO for a report category as written, or None for an unknown one."""
    if _GROUP_A.fullmatch(written):
        return GROUP_A
    return written if written in (GROUP_B, ZERO) else None
