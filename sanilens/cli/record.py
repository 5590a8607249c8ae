"""`sanilens record`: what was planned, met, undone, handed over and deleted in this workspace."""

import time

from rich.table import Table

from sanilens.cli.common import JsonOption, output, print_json
from sanilens.runs.record import read_record


def record(as_json: JsonOption = False) -> None:
    """List the workspace's hash-chained record; exits with 3 if it was changed or cut."""
    events = read_record()
    if as_json:
        print_json({"record": events})
        return
    table = Table()
    for name in ("when", "user", "what", "plan", "whose", "more"):
        table.add_column(name)
    for event in events:
        more = event.get("state") or event.get("form") or ", ".join(event.get("changed", ()))
        whose = ", ".join(event["subjects"][:5]) if event["of"] else "everyone"
        table.add_row(time.strftime("%Y-%m-%d %H:%M", time.localtime(event["time"])),
                      event["user"], event["event"], event["plan"][:12], whose, more)  # fmt: skip
    output.print(table)
