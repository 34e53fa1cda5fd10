"""What providers offer, what is asked of them, who takes part: services, service referrals, enrolments, attendance.

Never sees a charge, a decision or a note: of a participant, only what casework told for a provider that a service
referral is addressed to, and only as far as a release opens it (matrix row 11). A victim-service provider tells counts
and nothing about anybody (privacy-law HM-01, HM-03).
"""
