"""Rules of providers' records, one module per kind of record. No IO."""
