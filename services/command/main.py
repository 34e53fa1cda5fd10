"""`leadx`: the commands. What a command needs is imported when it is chosen, so that the others start at once."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click
from typing_extensions import override

# Command -> module, name in it, and one line for the index, so that listing imports nothing.
_COMMANDS = {
    "up": ("services.command.up", "up", "Run the whole exchange on this machine."),
    "demo": ("services.command.demo.command", "demo", "Tell the whole story on a throw-away exchange."),
    "token": ("services.command.token", "token", "Make a token of the development issuer."),
    "push": ("services.command.push.command", "push", "Send records of an RMS, resumable."),
    "policy": ("services.command.policy.command", "policy", "Check the policy; show who may see what, and why."),
    "outcomes": ("services.command.outcomes.command", "outcomes", "Read outcome reports as tables, CSV or a picture."),
    "audit": ("services.command.audit", "audit", "Export the ledger; check an export offline."),
    "events": ("services.command.events", "events", "Look at sealed events from outside."),
    "serve": ("services.command.serve", "serve", "Run one process of the exchange."),
    "migrate": ("services.command.migrate", "migrate", "Bring databases to the newest revision."),
    "bench": ("services.command.bench.command", "bench", "Measure against the baselines."),
}


class _Lazy(click.Group):
    """A group whose commands live in modules of their own."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands whose modules are installed, in the order of the index."""
        return [name for name, (module, _, _) in _COMMANDS.items() if _installed(module)]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the index without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lead-exchange", message="leadx %(version)s")
def main() -> None:
    """LEAD Exchange: what consent and law allow, shared between police, prosecutors, case managers and providers.

    Start with `leadx up`, or see `leadx demo` tell the whole story.
    """


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
