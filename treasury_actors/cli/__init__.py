"""
The command line: words in, one line of error or a result out.

`main` parses, `verbs_*` do; each verb imports what it needs when it runs, so that help is instant. Results
go to stdout (with `--json` exactly one object), everything else to stderr. Exit codes: 0 done, 1 a check
failed, 2 usage, 70 a broken invariant, 74 a corrupt journal, 75 another process has the folder, 78 config
or data.
"""

from treasury_actors.cli.main import main

__all__ = ["main"]
