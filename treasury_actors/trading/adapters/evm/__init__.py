"""Real DeFi protocols on an EVM chain, behind one internal port (`protocol.py`)."""
