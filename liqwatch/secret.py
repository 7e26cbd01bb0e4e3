"""A secret in memory: a token, a key, an address that holds one."""


class Secret:
    """A text that neither `str` nor `repr` shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(***)"

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """Return `text` with the secret masked."""
        return text.replace(self._text, "***")
