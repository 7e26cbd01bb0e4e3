"""Many short simulated markets at once, with which detection is measured: `liqwatch eval`.

One coin, forty minutes, a quarter of a second a step, all episodes of a batch side by side in numpy
arrays. What forced orders did to the price is known exactly, from a twin with the same randomness
in which they move nothing. Feeds show any share of the forced orders, down to one in a hundred or
one a second, over a background of ordinary liquidations and a history of days.

The model family of `design`: forced impact linear in dollars (or concave, with fat-tailed noise, in
the `shifted` world), stress that thins books, walls, stop-losses that look like bursts. Not
modelled: the order book itself, auto-deleveraging, several coins at once.
"""
