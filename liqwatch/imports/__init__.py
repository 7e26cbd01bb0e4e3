"""Maps that others made: what they wrote in, what the engine takes out."""

from liqwatch.imports.settings import CoinGlassSettings, FileImport

__all__ = ["CoinGlassSettings", "FileImport"]
