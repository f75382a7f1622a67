#!/usr/bin/env python3
"""Records what SciPy's paired bootstrap answers to the questions of core/compare/corpus_drop.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scipy
  /tmp/venv/bin/python tests/tools/record_corpus_drops.py tests/fixtures/corpus_drops.json

The metrics are computed here by other formulas than there: Matthews' of two classes is the correlation of the labels.
"""
import json
import sys

import numpy as np
import scipy
from scipy import stats

REPLICATES = 20000


def matthews(prediction, gold):
    if prediction.std() == 0 or gold.std() == 0:
        return 0.0
    return float(np.corrcoef(prediction, gold)[0, 1])


def f1(prediction, gold):
    right = float(((prediction == 1) & (gold == 1)).sum())
    wrong = float((prediction != gold).sum())
    return 0.0 if right == 0 else right / (right + wrong / 2)


def pearson(prediction, gold):
    return float(np.corrcoef(prediction, gold)[0, 1])


def spearman(prediction, gold):
    return float(stats.spearmanr(prediction, gold).statistic)


def perplexity(nll):
    return float(np.exp(nll.mean()))


def case(metric, function, before, after, gold, higher_is_better):
    sign = 1 if higher_is_better else -1
    columns = [before, after] + ([] if gold is None else [gold])

    def drop(*drawn):
        rest = drawn[2:]
        return sign * (function(drawn[0], *rest) - function(drawn[1], *rest))

    answer = stats.bootstrap(columns, drop, paired=True, vectorized=False, n_resamples=REPLICATES, method="percentile",
                             confidence_level=0.95, random_state=np.random.default_rng(5))
    return {"metric": metric, "higher_is_better": higher_is_better, "before": before.tolist(), "after": after.tolist(),
            "gold": [] if gold is None else gold.tolist(), "drop": drop(*columns),
            "standard_error": float(answer.standard_error), "low": float(answer.confidence_interval.low),
            "high": float(answer.confidence_interval.high)}


def main():
    rng = np.random.default_rng(11)
    cases = []
    for items, flips in ((120, 0.1), (400, 0.05)):
        gold = rng.integers(0, 2, items).astype(float)
        before = np.where(rng.random(items) < 0.25, 1 - gold, gold)
        after = np.where(rng.random(items) < flips, 1 - before, before)
        cases.append(case("matthews", matthews, before, after, gold, True))
        cases.append(case("f1_binary", f1, before, after, gold, True))
        score = np.round(5 * rng.random(items), 2)
        before = np.round(score + rng.normal(0, 1, items), 6)
        after = np.round(before + rng.normal(0, 0.4, items), 6)
        cases.append(case("pearson", pearson, before, after, score, True))
        cases.append(case("spearman", spearman, before, after, score, True))
        nll = np.round(rng.gamma(2, 1, items), 6)
        cases.append(case("perplexity", perplexity, nll, np.round(nll + rng.normal(0.05, 0.2, items), 6), None, False))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump({"scipy": scipy.__version__, "replicates": REPLICATES, "cases": cases}, out)
        out.write("\n")


main()
