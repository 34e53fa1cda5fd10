"""What the prosecutor decides: a review per office, a decision per charge, the charge-hold clock, the frozen basis.

Never sees a case note, a need, an address or a contact. Of the case-management agency only two positive facts arrive,
sealed, and only for an office that a release names; whether they did changes nothing else here.
"""
