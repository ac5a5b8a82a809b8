"""A world that shows a difference -> a smaller one that still does."""
import copy
import json

KEPT = {"kind", "apiVersion", "metadata", "spec", "name"}  # without these an object is not an object


LINES = 6


def places(node, path=()):
    """Every place in an object that could be dropped: an item of a list or a key of a mapping. Outer ones first."""
    if isinstance(node, dict):
        for key in list(node):
            if key not in KEPT:
                yield path + (key,)
        for key, value in node.items():
            yield from places(value, path + (key,))
    elif isinstance(node, list):
        for index in reversed(range(len(node))):
            yield path + (index,)
        for index, value in enumerate(node):
            yield from places(value, path + (index,))


def without(node, path):
    smaller = copy.deepcopy(node)
    inner = smaller
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return smaller


def sorts(lines):
    """What sorts of difference there are: a lost peer is none of a wrong verdict's."""
    return {line.split(" ", 1)[0] if line.startswith(("peer ", "verdict ", "the ")) else "connection" for line in lines}


def shrink(objects, differs, attempts=3000):
    """Drop objects, then parts of them, one by one, while it still differs; what cannot be judged any more is not smaller."""
    wanted = sorts(differs(objects))

    def still(candidate):
        nonlocal attempts
        attempts -= 1
        try:
            found = sorts(differs(candidate))
        except (KeyError, TypeError, IndexError, AttributeError, ValueError):
            return False  # too small to be read
        return bool(found & wanted) and found <= wanted

    again = True
    while again and attempts > 0:
        again = False
        for index in reversed(range(len(objects))) if len(objects) > 1 else ():
            smaller = objects[:index] + objects[index + 1:]
            if still(smaller):
                objects, again = smaller, True
        for path in places(objects):
            if len(path) < 2 or attempts <= 0:
                continue
            smaller = without(objects, path)
            if still(smaller):
                objects, again = smaller, True
                break
    return objects


def shown(seed, objects, lines):
    text = ["# seed %d differs:" % seed] + ["#   " + line for line in lines[:LINES]] + ["#   and %d more" % (len(lines) - LINES)] * (len(lines) > LINES)
    text += ["# minimal case:"] + ["#   ---\n#   " + json.dumps(obj) for obj in objects]
    return "\n".join(text)
