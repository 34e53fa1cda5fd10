"""What the police send: incident candidates, referrals, charges, screening, approvals, the offer; the justice feed.

Never sees a case note, an intake or a hand-off as the case-management agency tells it: of those only the prosecutor's
public decision and the two positive facts of a confirmation arrive, sealed, when the decision allows.
"""
