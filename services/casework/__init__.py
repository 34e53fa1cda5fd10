"""The participant: hand-offs, the person index with its subject links, intake.

Never sees a charge, a decision or an enrolment: of what police send, only the request of a hand-off is opened here, for
the dispatched agency and while its window lasts (matrix row 9).
"""
