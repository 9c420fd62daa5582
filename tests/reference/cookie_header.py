"""A parser of Cookie headers written from the text of RFC 6265bis, to compare others with. Correct, not fast."""

BLANKS = b" \t"


def pairs(headers):
    """Names and values of all cookies in the order of the request, as bytes.

    Section 4.2.1: a cookie-string is pairs parted by semicolons. Section 5.6, by which user agents take a pair
    apart: the name ends at the first equals sign, a pair without one has an empty name, and space and tab are
    removed around both. Double quotes are characters like any other (section 4.1.1), and nothing is decoded.
    """
    found = []
    for field, line in headers:
        if field == b"cookie":
            for pair in line.split(b";"):
                name, equals, value = pair.partition(b"=")
                if not equals:
                    name, value = b"", pair
                found.append((name.strip(BLANKS), value.strip(BLANKS)))
    return found


def values(headers, name):
    """The values of the cookies called `name`, which is not empty."""
    return [value for found, value in pairs(headers) if found == name]
