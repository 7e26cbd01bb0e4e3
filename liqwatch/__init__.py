"""liqwatch watches liquidation cascades and tells people when one starts, stalls, resumes and ends.

Leveraged positions are stacked at prices where exchanges close them by force. A stack worth naming
is a *cluster*. When price reaches one, forced orders push it on into the next: a *cascade*. It
*stalls* when the forced flow fades and price makes no new extreme, and it is *rejected* when price
turns back. liqwatch does not predict; it watches that mechanism: bytes become events, events become
alerts, alerts become messages.
"""

__version__ = "0.1.0"
