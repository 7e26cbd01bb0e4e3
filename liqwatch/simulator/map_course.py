"""The price of a map world, and how busy its people are: restless, in clusters, with fat tails."""

import math

from liqwatch.simulator.seeds import Random

MINUTES_PER_DAY = 1440


class Course:
    """Steps of a minute; knows nothing of positions."""

    def __init__(self, price: float, volatility_day: float, rng: Random) -> None:
        self._rng = rng
        self._sigma = volatility_day / math.sqrt(MINUTES_PER_DAY)
        self._hour = rng.random() * 24
        self._slow = self._fast = self._trend = self._hunger = self._premium = 0.0
        self.price = self.mark = price
        self.noise = 0.0  # how far entries lie off the straight way, log
        self.activity = 1.0  # volume against usual
        self.appetite = 1.0  # openings against usual

    def step(self) -> None:
        """Live a minute."""
        gauss = self._rng.gauss
        self._hour += 1 / 60
        self._slow = _revert(self._slow, 600, 0.45, gauss(0, 1))
        self._fast = _revert(self._fast, 30, 0.35, gauss(0, 1))
        self._trend = _revert(self._trend, 2880, 0.35, gauss(0, 1))
        self._hunger = _revert(self._hunger, 720, 0.4, gauss(0, 1))
        self._premium = _revert(self._premium, 60, 3e-4, gauss(0, 1))
        season = 0.25 * math.sin(self._hour * math.tau / 24)
        mood = self._slow + self._fast + season
        self.noise = self._sigma * math.exp(mood - 0.36)
        shock = gauss(0, 1) / math.sqrt(self._rng.gammavariate(2.5, 1 / 1.5))  # Student, 5 degrees
        trend = self._trend * self._sigma / math.sqrt(MINUTES_PER_DAY)
        self.price *= math.exp(trend + self.noise * shock)
        self.mark = self.price * (1 + self._premium)
        self.activity = math.exp(0.8 * mood - 0.12) * (0.8 + 0.25 * abs(shock))
        self.appetite = self.activity * math.exp(self._hunger - 0.08)

    def burst(self) -> float:
        """Draw a factor of mean 1: a minute is seldom like the one before it."""
        return self._rng.lognormvariate(-0.32, 0.8)


def _revert(value: float, minutes: float, deviation: float, noise: float) -> float:
    # A wandering number that returns to zero; `deviation` is how far it lies off in the long run.
    return value * (1 - 1 / minutes) + deviation * math.sqrt(2 / minutes) * noise
