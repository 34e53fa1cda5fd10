"""The person index: which records are of one person, by keyed tokens and by what people confirmed (matrix row 41).

Opens IDENTITY only, and keeps of it what cannot be read back: a name lies here, sealed, only while somebody is asked
about it. Nothing that a rule finds opens anything to anybody.
"""
