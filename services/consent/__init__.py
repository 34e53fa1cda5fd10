"""Permission: agencies, accounts, agreements, releases, subject links, scope facts, data keys, and the one decision.

Never sees what the records say: it decides by reference (subject, source agency, record) and category, and holds the
keys of what it cannot read.
"""
