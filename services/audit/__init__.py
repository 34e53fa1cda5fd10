"""Proof: the ledger of decisions and disclosures, its checkpoints, the accounting.

Never sees what a record says: an entry tells who was shown which categories of which source, when and on which basis.
Who the person was lies sealed inside the entry, and is found again by a pseudonym.
"""
