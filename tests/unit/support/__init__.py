"""Rules of the fakes and guards themselves."""
