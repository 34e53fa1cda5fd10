"""Files of enrolments, one module per format: CSV, a JSON array, NDJSON. Bytes in, rows out; nothing is stored here.

A file is refused as a whole only when it cannot be read at all; everything else is said of the row that it is about.
"""
