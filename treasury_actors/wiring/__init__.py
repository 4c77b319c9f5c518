"""
The composition root: the one place that names concrete actors and adapters and hands them to each other.

`fold` turns a journal and the frames it was lived on into state; `house` starts the actors on that state.
A first start folds an empty journal: starting and recovering are one path.
"""
