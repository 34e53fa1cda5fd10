"""`leadx policy`: whether the sharing matrix is sound, who may see what, and what another one would have changed."""

from __future__ import annotations

from services.command.policy.command import policy

__all__ = ["policy"]
