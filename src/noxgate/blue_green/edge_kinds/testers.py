"""Which requests are testers' alone: those that have to bring a header that browsers do not send."""

# Sent with every request, by browsers or by the proxies between: who is told apart by one of these is a user.
_OF_EVERYBODY = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control"),
        *("connection", "content-length", "content-type", "cookie", "dnt", "forwarded", "from", "host"),
        *("origin", "pragma", "priority", "referer", "te", "true-client-ip", "upgrade", "user-agent", "via"),
        *("upgrade-insecure-requests", "x-real-ip", "x-request-id", "x-requested-with"),
    }
)
_BEGINS = (":", "sec-", "x-forwarded-", "x-envoy-", "x-amzn-", "x-b3-", "cf-", "cloudfront-")


def is_of_testers(header: str) -> bool:
    """Whether somebody has to add this header on purpose."""
    name = header.strip().lower()
    return name != "" and name not in _OF_EVERYBODY and not name.startswith(_BEGINS)
