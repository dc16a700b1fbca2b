"""Who is asked: models over two wire formats, and two scripted ones that need no key."""
