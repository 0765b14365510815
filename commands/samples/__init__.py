"""Write realistic session directories, for tests, demonstrations and benchmarks. Deterministic.

Everything that a reader looks at is as the acquisition software writes it; the big files are there but empty.
"""
