"""A place in a row of tokens."""

from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.lexer import Kind, Token, tokens

__all__ = ["Reading"]


class Reading:
    """Read tokens one after the other.

    Attributes:
        token: The one that comes next.

    Raises:
        SyntaxIsWrongError: Something in the text is no token.
    """

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self.token = self._tokens[0]

    def take(self) -> Token:
        """Return the next token, and go on."""
        taken = self.token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        self.token = self._tokens[self._at]
        return taken

    def accept(self, text: str) -> bool:
        """Return whether the next token is this, and go on if so."""
        if self.token.kind is Kind.STRING or self.token.lower != text:
            return False
        self.take()
        return True

    def expect(self, text: str) -> None:
        """Go past this.

        Raises:
            SyntaxIsWrongError: Something else comes next.
        """
        if not self.accept(text):
            raise self.unexpected(repr(text))

    def expect_end(self) -> None:
        """Make sure that nothing is left.

        Raises:
            SyntaxIsWrongError: Something is.
        """
        if self.token.kind is not Kind.END:
            raise self.unexpected("the end of the query")

    def label(self) -> str:
        """Return the name of a label, and go on; key words are names too.

        Raises:
            SyntaxIsWrongError: Something else comes next.
        """
        if self.token.kind is not Kind.WORD or ":" in self.token.text:
            raise self.unexpected("the name of a label")
        return self.take().text

    def labels(self) -> tuple[str, ...]:
        """Return names of labels between parentheses.

        Raises:
            SyntaxIsWrongError: They are not there.
        """
        self.expect("(")
        found: list[str] = []
        while not self.accept(")"):
            found.append(self.label())
            if not self.accept(","):
                self.expect(")")
                break
        return tuple(found)

    def unexpected(self, wanted: str) -> SyntaxIsWrongError:
        """Return an error that says what comes next, and what should."""
        found = repr(self.token.text) if self.token.text else "the end"
        return SyntaxIsWrongError(f"unexpected {found}, expected {wanted}", at=self.token.at)
