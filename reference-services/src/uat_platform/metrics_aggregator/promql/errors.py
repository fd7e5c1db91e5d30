"""What may be wrong with a query."""

__all__ = ["QueryError", "SyntaxIsWrongError", "TakesTooLongError"]


class QueryError(Exception):
    """A query cannot be answered, because of what it asks for.

    Attributes:
        kind: How Prometheus calls it: `execution`, `bad_data`, `timeout`.
        status: Of the HTTP answer.
    """

    kind = "execution"
    status = 422


class SyntaxIsWrongError(QueryError):
    """A text is no query, or one that makes no sense."""

    kind = "bad_data"
    status = 400

    def __init__(self, message: str, *, at: int | None = None) -> None:
        super().__init__(message if at is None else f"1:{at + 1}: parse error: {message}")


class TakesTooLongError(QueryError):
    """A query was not answered in time."""

    kind = "timeout"
    status = 503
