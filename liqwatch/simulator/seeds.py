"""Seeded randomness: every part of a simulation draws from a generator of its own."""

from random import Random  # noqa: TID251 - always seeded, never the module's own generator

__all__ = ["Random", "generator"]


def generator(*seed: object) -> Random:
    """Return the generator of this seed and part, the same on every machine."""
    return Random("/".join(map(str, seed)))  # noqa: S311 - a market, not a secret
