"""
The money truth: exact, double-entry, event-sourced.

The ledger owns every balance. Others ask it to post an *entry*: a named set of postings that sums to
zero per asset (I1). Whatever is decided is an event in the journal before it is a balance, and the
balances are a fold over those events: starting and recovering are the same thing.

Accounts are names with a meaning:

- `treasury:reserve`, `treasury:gas`, `treasury:dust`: what belongs to nobody in particular;
- `treasury:promised`: what a withdrawal under way has brought together, which nobody may allot;
- `pool:<stage>`: capital a stage may allot;
- `agent:<id>:available` and `agent:<id>:held`: one pair an agent; a hold moves units between them;
- `venue:<name>` and `external:<why>`: contra accounts, the far side of a trade or of a deposit. Only
  these may be negative (I3).

Money enters and leaves the treasury by `Deposit` and `Withdraw` alone. Every message carries an id
chosen by its sender: the same id with the same content gets the same reply, the same id with other
content is rejected (I4).
"""
