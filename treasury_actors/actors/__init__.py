"""
Actors: who runs, who may speak to whom, and what happens when one dies. Knows nothing of money.

An **actor** is an object with a mailbox that reads one message at a time. Whoever holds its **ref** may
`tell` it something (never waits) or `ask` it something (waits, always with a limit). A **supervisor** makes
actors from **child specs**, guards each one, and restarts what crashed.

What holds here, whatever an actor does:

- Nothing an actor raises reaches a sibling or the event loop: not `SystemExit`, not `RecursionError`, not a
  cancellation it made up. Its own crash is an event; the supervisor says so *before* anyone else can notice.
- A message longer in hand than its deadline makes a hung actor a crashed one. Deadlines count only time in
  which the process was running. One patrol looks after all of them; a message costs no timer.
- A restart is a new object from `ChildSpec.make` on the same mailbox: refs stay good, queued tells are read,
  the message it died of is not. Everyone who waits for an answer is told at once.
- Mailboxes are bounded. A full one says so to the sender, a wrong message fails at the sender, a control lane
  is read before the normal one, and what can't be delivered is counted among the dead letters. Tells can't
  fill what is kept for asks: who floods a mailbox harms nobody who waits for an answer.
- Messages of one sender to one receiver arrive in order. Nothing here reads a wall clock or draws a random
  number.

A crash costs a child one of its restart budget. Over budget it stays down, and when the turn closes it is
quarantined, unless so many crashed in that turn that the cause is common to them: then nobody is. A child
that may never be restarted (ledger, engine, journal) escalates: whoever owns the supervisor ends the process.

Read `actor` (what to write), `ref` (what to call), `child` (what to declare), `supervisor` (what happens);
then `ward`, `cell` and `guard` (how a life is run), `policy` (the decisions, pure), `patrol` (time),
`watchdog` (a blocked loop), `probe` (the double your tests talk to).
"""
