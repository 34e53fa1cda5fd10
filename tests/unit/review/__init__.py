"""Rules of review: states, decisions, what is opened of a referral, the frozen basis."""
