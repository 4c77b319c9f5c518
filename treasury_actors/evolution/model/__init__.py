"""Genomes, chance without a stream, and who dies and who is bred at a round. All of it pure."""
