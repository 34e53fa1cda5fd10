"""Rules of what every process stands on."""
