"""
Evidence: whether evolution finds anything that lasts, told with its trials, its losers and its error bars.

Windows, fitness and the search are pure and live in `evolution.model`; here they meet seasons, files and
processes.
"""
