"""Whether the parts of an expression fit together."""

from uat_platform.metrics_aggregator.promql.errors import SyntaxIsWrongError
from uat_platform.metrics_aggregator.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Matching,
    Negation,
    Node,
    Shape,
)
from uat_platform.metrics_aggregator.promql.signatures import SIGNATURES

__all__ = ["COMPARISONS", "SETS", "check"]

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SETS = frozenset({"and", "or", "unless"})
_COMPUTABLE = frozenset({Shape.SCALAR, Shape.VECTOR})


def check(node: Node, *, at: int, parameter: Shape | None = None) -> None:
    """Make sure that an expression makes sense.

    Args:
        node: The expression; what is inside it was checked before.
        at: Where it stands.
        parameter: Shape of the parameter, when it is an aggregation with one.

    Raises:
        SyntaxIsWrongError: It does not.
    """
    if isinstance(node, Negation):
        _negation(node, at)
    elif isinstance(node, Binary):
        _binary(node, at)
    elif isinstance(node, Aggregation):
        _fits(node.expression, Shape.VECTOR, f"aggregation {node.operator!r}", at)
        if node.parameter is not None and parameter is not None:
            _fits(node.parameter, parameter, f"aggregation {node.operator!r}", at)
    elif isinstance(node, Call):
        _call(node, at)


def _negation(node: Negation, at: int) -> None:
    if node.shape not in _COMPUTABLE:
        raise SyntaxIsWrongError(
            "unary expression only allowed on expressions of type scalar or instant vector, "
            f"got {node.shape.value!r}",
            at=at,
        )


def _binary(node: Binary, at: int) -> None:
    shapes = {node.left.shape, node.right.shape}
    if not shapes <= _COMPUTABLE:
        raise SyntaxIsWrongError(
            "binary expression must contain only scalar and instant vector types", at=at
        )
    comparison, together = node.operator in COMPARISONS, node.operator in SETS
    if node.as_bool and not comparison:
        raise SyntaxIsWrongError("bool modifier can only be used on comparison operators", at=at)
    if comparison and not node.as_bool and shapes == {Shape.SCALAR}:
        raise SyntaxIsWrongError("comparisons between scalars must use BOOL modifier", at=at)
    if together and Shape.SCALAR in shapes:
        raise SyntaxIsWrongError(
            f"set operator {node.operator!r} not allowed in binary scalar expression", at=at
        )
    if node.matching is not None:
        _matching(node.matching, shapes, at, together=together)


def _matching(matching: Matching, shapes: set[Shape], at: int, *, together: bool) -> None:
    if Shape.SCALAR in shapes and matching.labels:
        raise SyntaxIsWrongError("vector matching only allowed between instant vectors", at=at)
    if matching.group is None:
        return
    if together or Shape.SCALAR in shapes:
        raise SyntaxIsWrongError("no grouping allowed for this operation", at=at)
    if matching.on and (both := set(matching.labels) & set(matching.include)):
        raise SyntaxIsWrongError(
            f"label {min(both)!r} must not occur in ON and GROUP clause at once", at=at
        )


def _call(node: Call, at: int) -> None:
    signature = SIGNATURES[node.function]
    most = None if signature.optional < 0 else len(signature.takes)
    least = len(signature.takes) - abs(signature.optional)
    count = len(node.arguments)
    if count < least or (most is not None and count > most):
        raise SyntaxIsWrongError(
            f"wrong number of arguments in call to {node.function!r}: {count}", at=at
        )
    for position, argument in enumerate(node.arguments):
        wanted = signature.takes[min(position, len(signature.takes) - 1)]
        _fits(argument, wanted, f"call to function {node.function!r}", at)


def _fits(node: Node, wanted: Shape, where: str, at: int) -> None:
    if node.shape is not wanted:
        raise SyntaxIsWrongError(
            f"expected type {wanted.value} in {where}, got {node.shape.value}", at=at
        )
