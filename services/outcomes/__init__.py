"""Outcomes: what became of people, in numbers that say how they were counted.

It keeps study ids and linked justice events, never a name, a birth date or a number of a person, and gives out figures,
never rows. How a figure comes about is `services.outcomes.evaluation`, which knows no wire and no database.
"""
