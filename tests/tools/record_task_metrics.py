#!/usr/bin/env python3
"""Records what scikit-learn, SciPy, rouge-score and SQuAD's own functions answer for core/evaluate/metrics.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn scipy rouge-score
  /tmp/venv/bin/python tests/tools/record_task_metrics.py tests/fixtures/task_metrics.json
"""
import collections
import json
import random
import re
import string
import sys

import scipy
import sklearn
from rouge_score import rouge_scorer
from scipy import stats
from sklearn import metrics


def classes(rng, count, kinds):
    gold = [rng.randrange(kinds) for _ in range(count)]
    return [g if rng.random() < 0.6 else rng.randrange(kinds) for g in gold], gold


def classifications():
    rng = random.Random(7)
    cases = [classes(rng, n, k) for n, k in ((1, 2), (2, 2), (10, 2), (57, 2), (200, 2), (30, 3), (91, 5))]
    cases += [([0, 0, 0], [0, 1, 0]), ([1, 1], [1, 1]), ([0, 1], [1, 0])]
    return [{
        "prediction": p,
        "gold": g,
        "matthews": float(metrics.matthews_corrcoef(g, p)),
        "f1": float(metrics.f1_score([x == 1 for x in g], [x == 1 for x in p], zero_division=0)),
        "macro": float(metrics.f1_score(g, p, average="macro", zero_division=0)),
    } for p, g in cases]


def correlations():
    rng = random.Random(8)
    cases = []
    for n, step in ((2, 0), (5, 1), (40, 0), (40, 1), (300, 0.5)):
        y = [rng.uniform(0, 5) for _ in range(n)]
        x = [v + rng.gauss(0, 1) for v in y]
        if step:
            x, y = [round(v / step) * step for v in x], [round(v / step) * step for v in y]
        cases.append({"x": x, "y": y, "pearson": float(stats.pearsonr(x, y)[0]),
                      "spearman": float(stats.spearmanr(x, y)[0])})
    return cases


def normalize(text):  # evaluate-v1.1.py of SQuAD
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def token_f1(prediction, answer):  # evaluate-v2.0.py of SQuAD
    p, a = normalize(prediction).split(), normalize(answer).split()
    if not p or not a:
        return float(p == a)
    same = sum((collections.Counter(p) & collections.Counter(a)).values())
    return 0.0 if same == 0 else 2 * same / (len(p) + len(a))


ANSWERS = [
    ("The Panthers", ["Panthers", "Carolina Panthers"]), ("308", ["308"]), ("a theme", ["the theme"]),
    ("", [""]), ("the", [""]), ("Denver", [""]), ("In 1,234 days!", ["1234 days"]), ("it's an apple.", ["Its apple"]),
    ("Saint Bernadette Soubirous of Lourdes", ["Saint Bernadette Soubirous", "Bernadette"]), ("yes yes no", ["yes no no"]),
    ("tab\tand\nline", ["tab and line"]), ("A-B", ["AB"]), ("theory", ["ory"]), ("Caf\u00e9 an", ["caf\u00e9"]),
]

SUMMARIES = [
    ("the cat sat on the mat", "the cat lay on the mat"), ("police killed the gunman", "the gunman police killed"),
    ("", "anything"), ("one", "one"), ("A cat, a dog; and 3 birds!", "3 birds and a cat and a dog"),
    ("na na na na", "na na"), ("state-of-the-art results", "state of the art result"), ("caf\u00e9 closed", "caf closed"),
    (" ".join(f"w{i % 7}" for i in range(60)), " ".join(f"w{i % 5}" for i in range(45))),
]


def main():
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    rouge = []
    for prediction, target in SUMMARIES:
        scores = scorer.score(target, prediction)
        rouge.append({"prediction": prediction, "target": target,
                      **{name: float(score.fmeasure) for name, score in scores.items()}})
    answers = [{"prediction": p, "answers": a, "normal": normalize(p),
                "exact": float(any(normalize(p) == normalize(x) for x in a)),
                "f1": max(token_f1(p, x) for x in a)} for p, a in ANSWERS]
    with open(sys.argv[1], "w") as out:
        json.dump({"versions": {"sklearn": sklearn.__version__, "scipy": scipy.__version__},
                   "classifications": classifications(), "correlations": correlations(), "answers": answers,
                   "rouge": rouge}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
