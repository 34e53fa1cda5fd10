"""What every enforcement point shares about sharing: need sets, and the client of the one decision function."""
