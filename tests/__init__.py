"""What must hold, told by rule."""
