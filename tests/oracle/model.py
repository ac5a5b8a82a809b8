"""The oracle: a list of Kubernetes objects -> who can reach whom, and the verdict of each workload. Slow, simple, used only by tests."""
import json
import sys

from decide import Judge
from matrix import matrix
from verdict import verdicts


def answer(objects):
    judge = Judge(objects)
    return {"matrix": matrix(judge), "verdicts": verdicts(judge)}


def load(text):
    import yaml
    objects = []
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if document:
            objects += document["items"] if document.get("kind", "").endswith("List") else [document]
    return objects


if __name__ == "__main__":
    json.dump(answer(load(sys.stdin.read())), sys.stdout, indent=1)
    print()
