"""What may be said of a user, wherever it is said: by the user, an administrator, or on the machine itself."""

from uat_service.forms import form

__all__ = [
    "EMAIL",
    "LONGEST_EMAIL",
    "LONGEST_NAME",
    "LONGEST_PASSWORD",
    "LONGEST_WORD",
    "NAME",
    "SHORTEST_PASSWORD",
    "WORD",
]

EMAIL = form(
    r"^[^@\x00-\x20\x7f-\xa0]{1,64}@[^@\x00-\x20\x7f-\xa0]{1,255}$",
    "an e-mail address, such as ann@example.com",
)
LONGEST_EMAIL = 320
LONGEST_NAME = 100
NAME = form(r"^[^\x00-\x1f\x7f]{1,100}$", "1 to 100 letters, none of them a control character")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
WORD = form(r"^[!#-\[\]-~]+$", "one word of ASCII, without quotes and backslashes")
"""A role, or a scope."""
LONGEST_WORD = 100
