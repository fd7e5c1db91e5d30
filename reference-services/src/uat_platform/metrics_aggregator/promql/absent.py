"""What is told of something that is not there: the labels that it would have."""

from uat_platform.metrics_aggregator.promql.nodes import Node, RangeSelector, Selector
from uat_platform.metrics_aggregator.series.labels import NAME, Labels, labelled
from uat_platform.metrics_aggregator.series.matchers import Sign

__all__ = ["labels_of"]


def labels_of(node: Node) -> Labels:
    """Return the labels that a selector asks for by equality, once each."""
    selector = node.selector if isinstance(node, RangeSelector) else node
    if not isinstance(selector, Selector):
        return ()
    found: dict[str, str] = {}
    seen: set[str] = set()
    for each in selector.matchers:
        if each.label == NAME:
            continue
        if each.sign is Sign.EQUAL and each.label not in seen:
            found[each.label] = each.value
            seen.add(each.label)
        else:
            found.pop(each.label, None)
    return labelled(found)
