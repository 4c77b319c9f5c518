"""
The append-only, hash-chained, gapless log that every state of the house is a fold over.

Owns: the seq and the hash of every event (`event`), how an event is written (`codec`), the file it lies in
(`adapters`), the lock on the run folder (`folder`), and the proofs that a log is what was written (`verify`,
`anchor`). Knows nothing of what the events mean.

Promises: `seq` is given synchronously, when an event is decided, never when a commit returns; many appends
share one commit, and what was flushed survives a kill; one changed byte is found and named; one process
writes a file, any number read it without disturbing. A chain alone cannot show that its tail was cut or that
all of it was rewritten; the anchors, kept outside the run folder, can.
"""
