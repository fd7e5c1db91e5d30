"""A part of PromQL, with the answers that Prometheus 2.42 gives.

lexer -> parser -> checking     a text becomes a tree that makes sense, or an error that says where it does not
evaluator                       a tree and the samples that it asks for become values, one moment after the other
engine                          what a query and a range query are

All of it is pure: samples and times come in as arguments.
"""
