"""What every process stands on; imports no area."""
