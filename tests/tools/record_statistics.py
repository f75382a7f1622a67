#!/usr/bin/env python3
"""Records what SciPy, statsmodels and plain numerical optimization answer to the questions of core/statistics.

  python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scipy statsmodels
  /tmp/venv/bin/python tests/tools/record_statistics.py tests/fixtures/statistics.json

Tango's interval is found without his closed form: the trinomial likelihood is maximized numerically at each drop. The
sequential boundaries come from the multivariate normal distribution of all looks, not from a recursion.
"""
import json
import math
import sys

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint


def numbers(values):
    return [float(v) for v in values]


def distributions():
    probabilities = [1e-12, 1e-6, 0.001, 0.025, 0.05, 0.3, 0.5, 0.8, 0.9, 0.975, 0.995, 0.9999]
    student = [{"p": p, "degrees": d, "t": float(stats.t.ppf(p, d))} for p in (0.001, 0.025, 0.2, 0.9, 0.975, 0.9995)
               for d in (1, 2, 7, 30, 199.5, 1e4)]
    binomial = [{"k": k, "n": n, "p": p, "cdf": float(stats.binom.cdf(k, n, p))}
                for k, n, p in ((0, 5, 0.5), (3, 17, 0.5), (40, 120, 0.3), (498, 1000, 0.5), (5, 5, 0.2))]
    beta = [{"x": x, "a": a, "b": b, "value": float(stats.beta.cdf(x, a, b))}
            for x, a, b in ((0.1, 0.5, 0.5), (0.5, 2, 3), (0.9, 100, 3.5), (0.02, 3, 400), (0.999, 0.5, 20))]
    return {"normal": [{"p": p, "z": float(stats.norm.ppf(p)), "back": float(stats.norm.cdf(stats.norm.ppf(p)))}
                       for p in probabilities], "student": student, "binomial": binomial, "beta": beta}


def moments():
    rng = np.random.default_rng(1)
    values = rng.gamma(2.0, size=37)
    return {"values": numbers(values), "mean": float(values.mean()), "standard_error": float(stats.sem(values)),
            "quantiles": [{"share": q, "value": float(np.quantile(values, q)),
                           "nearest_rank": float(np.quantile(values, q, method="inverted_cdf"))}
                          for q in (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)]}


def wilson():
    cases = []
    for k, n, confidence in ((0, 10, 0.95), (10, 10, 0.95), (81, 263, 0.95), (15, 148, 0.99), (1, 29, 0.95)):
        low, high = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
        cases.append({"successes": k, "n": n, "confidence": confidence, "low": float(low), "high": float(high)})
    return cases


def tango_score(lost, won, n, drop):
    """(b - c - n d) over its standard deviation under the most likely trinomial with p10 - p01 = d."""
    def negative_log_likelihood(p01):
        p10 = p01 + drop
        rest = 1 - p10 - p01
        terms = [(lost, p10), (won, p01), (n - lost - won, rest)]
        if any(count > 0 and p <= 0 for count, p in terms):
            return math.inf
        return -sum(count * math.log(p) for count, p in terms if count > 0)
    low, high = max(0.0, -drop), (1 - drop) / 2
    best = optimize.minimize_scalar(negative_log_likelihood, bounds=(low, high), method="bounded",
                                    options={"xatol": 1e-14})
    candidates = [(negative_log_likelihood(p), p) for p in (best.x, low, high)]
    p01 = min(candidates)[1]
    return (lost - won - n * drop) / math.sqrt(n * (2 * p01 + drop * (1 - drop)))


def tango():
    cases = []
    for lost, won, n, confidence in ((9, 4, 200, 0.95), (1, 0, 30, 0.95), (12, 2, 44, 0.95), (0, 0, 50, 0.95),
                                     (30, 31, 1000, 0.99), (3, 9, 100, 0.9), (53, 16, 173, 0.95)):
        z = stats.norm.ppf(0.5 + confidence / 2)
        estimate = (lost - won) / n
        low = optimize.brentq(lambda d: tango_score(lost, won, n, d) - z, -0.999, estimate - 1e-9, xtol=1e-12)
        high = optimize.brentq(lambda d: tango_score(lost, won, n, d) + z, estimate + 1e-9, 0.999, xtol=1e-12)
        test = mcnemar([[0, lost], [won, 0]], exact=True).pvalue if lost + won else 1.0
        cases.append({"lost": lost, "won": won, "n": n, "confidence": confidence, "low": low, "high": high,
                      "mcnemar": float(test)})
    return cases


def student():
    rng = np.random.default_rng(2)
    before = rng.beta(2, 3, size=60)
    after = np.clip(before - 0.03 + 0.1 * rng.standard_normal(60), 0, 1)
    result = stats.ttest_rel(before, after).confidence_interval(0.9)
    return {"before": numbers(before), "after": numbers(after), "confidence": 0.9,
            "drop": float((before - after).mean()), "low": float(result.low), "high": float(result.high)}


def perplexity_ratio():
    """The delta method against the jackknife over blocks and a paired bootstrap."""
    rng = np.random.default_rng(3)
    tokens = rng.integers(180, 257, size=64).astype(float)
    before = tokens * (2.8 + 0.3 * rng.standard_normal(64))
    after = before + tokens * (0.05 + 0.02 * rng.standard_normal(64))
    log_ratio = lambda i: (after[i] - before[i]).sum() / tokens[i].sum()
    everything = np.arange(64)
    leave_out = np.array([log_ratio(np.delete(everything, k)) for k in range(64)])
    jackknife = math.sqrt(63 / 64 * ((leave_out - leave_out.mean()) ** 2).sum())
    draws = np.array([log_ratio(rng.integers(0, 64, 64)) for _ in range(20000)])
    return {"tokens": numbers(tokens), "before": numbers(before), "after": numbers(after),
            "ratio": math.exp(log_ratio(everything)), "jackknife_error": jackknife,
            "bootstrap_low": float(np.exp(np.quantile(draws, 0.025))),
            "bootstrap_high": float(np.exp(np.quantile(draws, 0.975)))}


def correlation():
    rng = np.random.default_rng(4)
    a = np.round(rng.uniform(0, 5, size=80), 1)
    b = np.round(0.7 * a + rng.standard_normal(80), 1)
    bootstrap = [stats.pearsonr(a[i], b[i])[0] for i in (rng.integers(0, 80, 80) for _ in range(20000))]
    return {"a": numbers(a), "b": numbers(b), "pearson_bootstrap_error": float(np.std(bootstrap, ddof=1))}


def boundaries():
    """Each bound so that the probability of a first exit at its look is what the spending function allows."""
    alpha = 0.05
    functions = {"obrien_fleming": lambda t: 4 * stats.norm.sf(stats.norm.ppf(1 - alpha / 4) / math.sqrt(t)),
                 "pocock": lambda t: alpha * math.log(1 + (math.e - 1) * t)}
    cases = []
    for name, spent in functions.items():
        for shares in ((0.2, 0.4, 0.6, 0.8), (0.1, 0.2, 0.4, 1.0)):
            bounds = []
            for k, share in enumerate(shares):
                root = np.sqrt(np.array(shares[:k + 1]))
                # Correlation of the z statistics of looks i < j: sqrt(t_i / t_j).
                cov = np.minimum.outer(root, root) / np.maximum.outer(root, root)
                inside = lambda z: stats.multivariate_normal.cdf(np.array(bounds + [z]), cov=cov,
                                                                 lower_limit=-np.array(bounds + [z]), abseps=1e-8,
                                                                 releps=1e-8, maxpts=4000000, rng=5)
                # What remains inside all bounds so far is what the function has not spent.
                bounds.append(float(optimize.brentq(lambda z: (1 - inside(z)) - spent(share), 0.5, 8, xtol=1e-5)))
            cases.append({"spending": name, "alpha": alpha, "shares": list(shares), "bounds": bounds})
    return cases


def power():
    """Items that Connor's formula asks for, and how often the interval decides with them, by simulation."""
    cases = []
    rng = np.random.default_rng(6)
    for drop, flips in ((0.04, 0.05), (0.02, 0.05), (0.02, 0.1), (0.1, 0.2)):
        za, zb = stats.norm.ppf(0.975), stats.norm.ppf(0.8)
        n = math.ceil((za * math.sqrt(flips) + zb * math.sqrt(flips - drop ** 2)) ** 2 / drop ** 2)
        p10, p01 = (flips + drop) / 2, (flips - drop) / 2
        counts = rng.multinomial(n, [p10, p01, 1 - flips], size=200000)
        b, c = counts[:, 0], counts[:, 1]
        cases.append({"drop": drop, "flips": flips, "items": n,
                      "simulated_power": float(((b - c) ** 2 > za ** 2 * (b + c)).mean())})
    return cases


def main():
    fixture = {"tools": f"numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
               "distributions": distributions(), "moments": moments(), "wilson": wilson(), "tango": tango(),
               "student": student(), "perplexity_ratio": perplexity_ratio(), "correlation": correlation(),
               "boundaries": boundaries(), "power": power()}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(fixture, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
