"""Hypothesis strategies for curves, cost functions and uses; also awkward ones, as long as they are legal."""

from __future__ import annotations

from hypothesis import strategies as st

from core.costs import CostFunction, Use
from core.curves import Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TAME = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
AMOUNTS = st.one_of(
    st.integers(0, 64), st.integers(0, 2**63 - 1), st.sampled_from((0, 1, 2**30, 32 * 2**30, 2**53 + 1, 2**63 - 1))
)
_POSITIVE = st.one_of(st.floats(min_value=1e-3, max_value=1e13), st.sampled_from((5e-324, 1.0, 1.7e308)))
_MAXIMA = st.one_of(st.none(), st.floats(min_value=-10, max_value=1e13))


def curves(numbers: st.SearchStrategy[float] = NUMBERS, leaves: int = 6) -> st.SearchStrategy[Curve]:
    """Curves of every kind, with numbers from a strategy, nested a few levels."""
    scale = st.one_of(st.just(1.0), numbers)
    base = st.one_of(
        st.builds(Constant, value=numbers, scale=scale, max=_MAXIMA),
        st.builds(Invalid, scale=scale, max=_MAXIMA),
        st.builds(Linear, slope=numbers, base=numbers, scale=scale, max=_MAXIMA),
        st.tuples(_POSITIVE, _POSITIVE).flatmap(
            lambda limits: st.builds(
                HardSoft, soft=st.just(min(limits)), hard=st.just(max(limits)), soft_amt=numbers, hard_amt=numbers,
                scale=scale, max=_MAXIMA,
            )
        ),
        st.builds(Unavailable, scale=scale, max=_MAXIMA),
    )  # fmt: skip
    cutoffs = st.one_of(st.integers(-2, 64).map(float), numbers)
    return st.recursive(
        base,
        lambda inner: st.builds(Piecewise, cutoff=cutoffs, low=inner, high=inner, scale=scale, max=_MAXIMA),
        max_leaves=leaves,
    )


KINDS = st.sampled_from(("gpu", "nic", "nvidia a100", "x.y"))


def cost_functions(numbers: st.SearchStrategy[float] = NUMBERS) -> st.SearchStrategy[CostFunction]:
    """Cost functions with some of their curves."""
    some = st.one_of(st.none(), curves(numbers, 3))
    return st.builds(
        CostFunction, id=st.just("f"), name=st.just("f"), vms=some, vcpus=some, memory=some,
        devices=st.dictionaries(KINDS, curves(numbers, 2), max_size=3), scale=numbers, offset=numbers,
    )  # fmt: skip


USES = st.builds(
    Use, st.integers(0, 500), st.integers(0, 5000), AMOUNTS, st.dictionaries(KINDS, st.integers(0, 16), max_size=3)
)

EXTREMES = NUMBERS | st.sampled_from([0.0, 1.0, 1e300, -1e300, 5e-324, 1.7e308])
INPUTS = st.floats(min_value=1e-3, max_value=1e19) | st.integers(1, 200).map(float)
_COMMON = {"scale": EXTREMES, "max": st.none() | INPUTS | st.just(0.0) | st.just(-1.0)}


def _hard_soft(soft: float, wider: float, **rest: float) -> HardSoft:
    """Make a curve whose hard limit is not below its soft one."""
    return HardSoft(soft=soft, hard=soft + wider, **rest)


_SIMPLE = st.one_of(
    st.builds(Constant, value=EXTREMES, **_COMMON),
    st.builds(Invalid, **_COMMON),
    st.builds(Linear, slope=EXTREMES, base=EXTREMES, **_COMMON),
    st.builds(_hard_soft, INPUTS, st.just(0.0) | INPUTS, soft_amt=EXTREMES, hard_amt=EXTREMES, **_COMMON),
    st.builds(Unavailable, **_COMMON),
)
EXTREME_CURVES = st.recursive(
    _SIMPLE,
    lambda inner: st.builds(Piecewise, cutoff=INPUTS | EXTREMES, low=inner, high=inner, **_COMMON),
    max_leaves=8,
)
"""Curves whose figures reach to the limits of a float."""
