"""Rules of the referral area, one module each."""
