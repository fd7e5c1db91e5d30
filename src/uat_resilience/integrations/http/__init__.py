"""What all HTTP clients share, without any library: which answers fail, what is repeated, how long calls last.

A call is one request of the user, which may become several attempts. An attempt ends with an answer or an error.
An answer is open until its body has ended: what was held for it (a slot, a breaker's ticket) is held until then.
"""
