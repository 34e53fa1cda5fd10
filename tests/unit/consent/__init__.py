"""Rules of permission: policy, consents, revocation, keys."""
