"""
What a treasurer may ask of a chain: whose wallet this is, what it holds, whether the books agree.

Everything here reads. Nothing signs, nothing sends, and only `keystore new` and `safe-propose` write a file,
which holds no plain key and moves no money by itself.
"""
