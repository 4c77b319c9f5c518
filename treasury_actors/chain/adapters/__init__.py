"""I/O of the chain: JSON-RPC over HTTP, failover, and a real node with published bytecode."""
