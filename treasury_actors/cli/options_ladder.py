"""The options of what concerns the ladder: a climb, and the people promotions wait for."""

from pathlib import Path

from treasury_actors.cli.options import Commands, add_json, add_out, command, lazy, whole


def add_ladder(commands: Commands) -> None:
    """Add the climb of a scripted season, and what people do to promotions."""
    climb = command(commands, "ladder", "a scripted season that climbs $0, $10K, $50K, $200K, gate by gate")
    climb.set_defaults(verb=lazy("verbs_ladder", "ladder"))
    where = climb.add_mutually_exclusive_group(required=True)
    where.add_argument("--world", metavar="NAME", help="positive or null: GENERATED, its truth known")
    where.add_argument("--data", type=Path, metavar="DIR", help="market data; it may stop anywhere")
    climb.add_argument("--seed", type=whole, default=7, metavar="N", help="names all that is drawn (7)")
    climb.add_argument("--days", type=whole, default=400, metavar="N", help="of the season, at most (400)")
    climb.add_argument("--agents", type=whole, default=64, metavar="N", help="on paper all the while (64)")
    climb.add_argument("--config", type=Path, metavar="CONFIG", help="default: configs/evidence.toml")
    add_out(climb, "run folder; must be new or empty (default: runs/ladder-…)")

    ready = command(commands, "readiness", "whether a config's stage may begin: each measure, PASS or FAIL")
    ready.set_defaults(verb=lazy("verbs_ladder", "readiness"))
    ready.add_argument("config", type=Path, metavar="CONFIG")
    ready.add_argument("--below", type=Path, metavar="DIR", help="the run folder of the stage below")
    ready.add_argument("--workspace", type=Path, metavar="DIR", help="the log of trials")

    listed = command(commands, "promotions", "what was proposed to rise in a run, and who approved")
    yes = command(commands, "approve", "approve a promotion with your own key; `auto` is refused")
    no = command(commands, "reject", "reject a promotion, with a reason")
    key = command(commands, "approval-key", "make a key to approve with; prints its public half")
    for parser, name in ((listed, "promotions"), (yes, "approve"), (no, "reject"), (key, "approval_key")):
        parser.set_defaults(verb=lazy("verbs_ladder", name))
    for parser in (yes, no):
        parser.add_argument("promotion", metavar="ID")
        parser.add_argument("--by", required=True, metavar="NAME", help="as listed in the proposal")
    yes.add_argument("--key", type=Path, required=True, metavar="FILE", help="of approval-key; mode 600")
    no.add_argument("--reason", required=True, help="kept for good")
    key.add_argument("file", type=Path, metavar="FILE", help="a new file")
    for parser in (listed, yes, no):
        add_out(parser, "run folder", required=True)
    for parser in (climb, ready, listed, yes, no, key):
        add_json(parser)
