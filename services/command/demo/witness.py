"""What an agency does that witnesses the ledger: it takes the newest checkpoint from time to time, and keeps it."""

from __future__ import annotations

from services.command.demo.journey import done
from services.command.demo.story import Story


def take_checkpoint(story: Story) -> int:
    """Keep the newest signed checkpoint among the story's; returns how many entries it covers. Raises StepError."""
    answer = done("take a checkpoint", story.caller("auditor", "sample-auditor").get("/v1/audit/checkpoint"))
    story.witnessed.append(answer["checkpoint"]["note"])
    return int(answer["checkpoint"]["size"])
