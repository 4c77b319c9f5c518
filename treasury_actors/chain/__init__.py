"""
What every EVM adapter needs: JSON-RPC sessions, a pinned registry, a node of our own for rehearsals.

It knows nothing of money, orders or prices; the adapters of `market` and `trading` do, and they alone use
it. The transport is ours, one POST a call over httpx, because a library that retries by itself sends a
transaction twice without telling. A session (`ports.Rpc`) asks once and answers once: a value, an
`RpcFault` for environment trouble, or an `RpcError` when the node itself said no.

What a node answers to a transaction is sorted into `SendOutcome` (`model.rpc`), where everything that isn't
proof is UNKNOWN: a timeout, a reset, a 500, HTML from a proxy. Unknown is never failed, and never a reason
to sign again.

Reads fail over from one endpoint to the next, sends never do (`adapters.failover`). The chain id is checked
at connect and again every minute; a wrong one closes the session for good. Tokens and contracts are pinned
per chain (`model.registry`), and compared with the chain before anything is signed.

`adapters.npm` and `adapters.anvil` bring a real node and the published bytecode of the protocols, fetched on
first use into a cache outside the repository.
"""
