"""Builds and checks wheels that need nothing of the machine they are installed on.

``python -m wheels`` with ``tools/`` on PYTHONPATH; ``make wheels`` calls it. docs/wheels.md tells how it works.
"""
