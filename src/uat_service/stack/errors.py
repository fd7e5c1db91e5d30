"""What is wrong with a stack, said before anything starts."""

__all__ = ["StackError"]


class StackError(Exception):
    """A stack cannot be run as it is described.

    Attributes:
        problems: One sentence for each thing that is wrong.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
