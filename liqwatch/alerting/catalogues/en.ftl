### What people read, in English. Each message stands in every language, with the same variables.
### Long and short name whose positions are liquidated. What the map says is an estimate: est.
### Nothing here promises or advises.

## First lines

severity-critical = CRITICAL
severity-warning = WARNING
severity-info = INFO
against-map = AGAINST THE MAP

cascade = { $position ->
    [long] LONG CASCADE
    [short] SHORT CASCADE
   *[none] CASCADE
}
cascade-started = { cascade } STARTED
cascade-stalled = { cascade } STALLED
cascade-resumed = { cascade } RESUMED
cascade-ended = { cascade } ENDED, { $outcome ->
    [exhausted] EXHAUSTED
    [absorbed] ABSORBED
    [rejected] REJECTED
   *[unknown] OUTCOME UNKNOWN
}
cascade-running = { cascade } RUNNING
cascade-growing = { cascade } GROWS
at-price = at { $price }
after = after { $lasted }

level-approached = APPROACHES { $level }
level-approached-unknown = APPROACHES a level
level-of = ({ $position ->
    [long] LONG
   *[short] SHORT
} LEVEL)
level-verdict = { $verdict ->
    [accelerated] ACCELERATED
    [faded] FADED
    [reversed] REVERSED
   *[unknown] VERDICT
} at { $level }
level-verdict-unknown = { $verdict ->
    [accelerated] ACCELERATED
    [faded] FADED
    [reversed] REVERSED
   *[unknown] VERDICT
} at a level
nth-approach = { NTH($count) } approach

map-digest = MAP DIGEST
shorts-to-longs = shorts to longs { $ratio }
map-tilts = MAP { $position ->
    [long] TILTS TO LONGS
    [short] TILTS TO SHORTS
   *[none] NO LONGER TILTS
}

feed-degraded = FEED DEGRADED
feed-recovered = FEED RECOVERED
feeds-degraded = FEEDS DEGRADED
feeds-recovered = FEEDS RECOVERED
venues = { $count ->
    [one] { $count } venue
   *[other] { $count } venues
}
venues-all = { $count ->
    [one] all { $count } venue
   *[other] all { $count } venues
}

config-applied = Configuration applied
config-rejected = Configuration REJECTED, the running one stays

market = MARKET
market-cascade = { market } { cascade }
market-cascade-ended = { market } { cascade } ENDED
coins = { $count ->
    [one] { $count } coin
   *[other] { $count } coins
}

## Marks

possible-duplicate = (possible duplicate)
late = late, from { $time }:
sample = SAMPLE, not a real alert
more-lines = ({ $count ->
    [one] { $count } more line
   *[other] { $count } more lines
})

## Levels and amounts

held-at = { $amount } at { $zone }
level-estimate = est. { $held }
level-imported = est. { $held } (imported)
level-observed = { $held } (published positions)
level-user = { $zone } (your level)
level-user-mapped = { $zone } (your level, est. { $amount } there)
level-unmapped = { $zone } (unmapped)
here = Level: { $level }
here-unmapped = Unmapped: no cluster is known here
ahead = Ahead: { $level }
away = { $distance }% away

span-s = { $count } s
span-min = { $count } min
span-h = { $count } h
span-d = { $count } d

## Cascades

most-affected = Most affected: { $coins }
move-60s = { $move } in 60 s
moved = Moved { $move }
now = now { $price }

flow = { $direction ->
    [up] buying
    [down] selling
   *[none] orders
}
forced = Forced { flow } { $amounts }
forced-none = No forced { flow } seen { $windows }
or = or
in-30s = in 30 s
in-60s = in 60 s
in-all = in all
in-last-seconds = a second at the end
in-worst-minute = in its worst minute
since-approach = since the approach

rare = Flow { $times }x what a feed shows once in { $span }
rare-throttled = Flow { $times }x what throttled feeds show once in { $span }
ran-on = price ran on { $sigma }σ with it
sure-burst = Unconfirmed: a run of stop-losses can look like this
sure-confirmed = Confirmed: forced orders and price feed each other
sure-strong = Confirmed: forced orders and price feed each other strongly
impact-part = Visible forced flow explains only part of this move
impact-least = Forced flow alone explains a move of ≥{ $sigma }σ
impact-range = Forced flow alone explains a move of est. { $sigmas }
impact-asked = { $sigma }σ asked

speed = Speed { $speed } bp/min
speed-before = Speed { $speed }
speed-after = { $speed } bp/min
acceleration = acceleration { $sigma }σ
drift = drift { $sigma }σ in 30 s

open-interest-5m = OI { $value } in 5 min
opening = opening
closing = closing
funding = funding { $value }/8h
spot-flow = spot CVD { $value }
confirms = confirms
against = against
basis = basis { $value } bp
volatility-rank = volatility rank { $value }%
old = { $age } old

coverage = Complete feeds hold { $share } of open interest
blind = blind: { $venues }
not-believed = not believed: { $venues }
learning = Learning: { $hours } of { $needed } h
warming-up = volatility warming up
map-of = map of { $span }

leg-given-back = { $share }% of the leg given back
given-back = { $share }% given back
crossed = Crossed { $levels }
swept = est. { $amount } of the map lay in its path
beyond-volatility = Speed { $times }x what volatility implied
not-followed = It could not be followed to its end: feeds were silent or left out

running-price = { $price } ({ $change } since start), { $direction ->
    [down] low
   *[up] peak
} { $extreme }
running-forced = Forced { flow } { $total } (peak { $peak }/min, now { $now }/min)
rungs = Rungs: { $rungs }
next-rung = next { $level }

at-the-start = At the start:
step-cascade-started = started
step-cascade-stalled = stalled
step-cascade-resumed = resumed
step-cascade-ended = ended
step-level-approached = approached
step-level-verdict = verdict
step-asymmetry-changed = changed
step-map-digest = digest
step-feed-degraded = degraded
step-feed-recovered = recovered
step-config-applied = applied
step-config-rejected = rejected

coin-forced = { $amount } forced
coins-of-watched = { $count ->
    [one] { $count } coin
   *[other] { $count } coins
} of { $watched } watched
coins-outcome = { $count } { $outcome ->
    [exhausted] exhausted
    [absorbed] absorbed
    [rejected] rejected
   *[unknown] outcome unknown
}
median-leg = Median leg { $times }x a usual five-minute move

## Levels

closest = closest { $distance }%
through = { $distance }% through it
near-it = { $lasted } near it
crossed-in-cascade = Crossed in a running cascade
approaches-activated = { $count ->
    [one] { $count } approach
   *[other] { $count } approaches
} in { $span }, { $activated ->
    [0] none
   *[other] { $activated }
} activated
verdict-accelerated = accelerated
verdict-faded = faded
verdict-reversed = reversed

## The map

shorts-above = shorts above est. { $amount }
longs-below = longs below est. { $amount }
within = Within { $window }: { $amounts }
day-before = (24 h ago { $ratio })
amounts-relative = Amounts compare with each other, not with dollars
above = Above: { $rungs }
below = Below: { $rungs }
ranges-above = Ranges above: { $rungs }
ranges-below = Ranges below: { $rungs }
of-clusters = of { $count ->
    [one] { $count } cluster
   *[other] { $count } clusters
}
reached-in = In { $span }: { approaches-to-levels }
reached-since-start = Since the start: { approaches-to-levels }
approaches-to-levels = { $count ->
    [one] { $count } approach
   *[other] { $count } approaches
} to levels, { $activated } activated
reached = Reached: { $levels }
not-activating = MAP NOT ACTIVATING: { $count ->
    [one] { $count } cluster
   *[other] { $count } clusters
} reached, none reacted
names-no-levels = The map names no levels by itself; yours and cascade alerts go on
frozen = Frozen, open interest in doubt: { $venues } of it
map-age = Map of { $span }
magnets = Clusters are magnets, not a forecast.
no-advice = No financial advice.

not-scored = Not scored yet.
few-events = Not scored yet: { $count ->
    [one] { $events } event
   *[other] { $events } events
} in { $days } d are too few.
score = Score { $grade }: { $share }{ $bounds } of liquidations hit its top tenth, chance { $chance }; { events } in { $days } d.
score-of-chance = Score { $grade }, no better than chance: { $share }{ $bounds } of liquidations hit its top tenth, chance { $chance }; { events } in { $days } d.
events = { $count ->
    [one] { $events } event
   *[other] { $events } events
}

## Feeds

silent-for = Silent for { $lasted }
share-of-liquidations = { $share }% of the liquidations seen in a day
still-heard = Still heard: { $venues }
all-blind = Blind: no other venue is heard
disbelieved = { $symbol }: { $reason }
not-counted = Not counted until it has behaved for { $lasted }
believed-again = Behaves again, and is counted again
live-again = Live again: { $venues }
may-miss-liquidations = Liquidations of that time may be missing
still-missing = Still missing: { $venues }

reason-delivers-nothing = takes the subscription and delivers nothing
reason-no-answer = does not answer the subscription
reason-no-trade = delivers other things, but no trade
reason-lost = connection lost ({ $why })
reason-pause = nothing for { $silent } s, usually something every { $gap } s
reason-forced-beyond-traded = forced orders of a minute are { $times } times what was traded and { $share }% of open interest
reason-price-off = price { $price } while other venues trade at { $others }
reason-mark-off = mark { $price } while other venues trade at { $others }
reason-open-interest-leaps = open interest went from { $before } to { $now } coins at once
reason-others-show = shows none while other venues showed { $elsewhere }: about { $expected } were to be expected

## Remarks

remark-quiet-hours = Quiet hours are over: { alerts-held }
remark-budget = Alert budget{ $subject ->
    [none] {""}
   *[other] {" "}for { $subject }
} spent: { alerts-folded }
remark-mute = { $subject ->
    [none] Unmuted
   *[other] { $subject } unmuted
}: { alerts-held }
remark-digest = Digest: { alerts-folded }
remark-late = Too late to come as live: { alerts-folded }
alerts-held = { $count ->
    [0] nothing was held back
    [one] { $count } alert held back
   *[other] { $count } alerts held back
}
alerts-folded = { $count ->
    [one] { $count } alert summed up
   *[other] { $count } alerts summed up
}
never-folded = CRITICAL is never folded
since = Since { $time }
period = From { $since } to { $until }
kinds = { $kind ->
    [cascade_started] cascades started
    [cascade_stalled] cascades stalled
    [cascade_resumed] cascades resumed
    [cascade_ended] cascades ended
    [level_approached] levels approached
    [level_verdict] verdicts on levels
    [asymmetry_changed] tilts of the map
    [map_digest] map digests
    [feed_degraded] feeds degraded
    [feed_recovered] feeds recovered
    [config_applied] configurations applied
   *[config_rejected] configurations refused
}: { $count }

## Bot
bot-usage = Usage: { $usage }
bot-no-command = No such command. /help lists them.
bot-refused = { $reason }
bot-admins-only = Only admins may do that.
bot-old-button = This button is too old. Ask anew with a command.
bot-busy = That is under way already.

bot-help-title = liqwatch watches liquidation cascades
bot-help-caution = Clusters are magnets, not a forecast. No financial advice.
bot-start = Alerts come here. /help lists the commands.
bot-id = chat { $chat }, user { $user }
bot-id-topic = chat { $chat }, topic { $topic }, user { $user }

bot-command-status = how the daemon is
bot-command-feeds = what each feed delivers
bot-command-map = where liquidations would lie, as a picture
bot-command-levels = what price did at the levels
bot-command-why = why an alert was sent, or not
bot-command-replay = how to decide it again from the tapes
bot-command-mute = send nothing of a coin for a while
bot-command-mutes = what is muted
bot-command-unmute = send it again
bot-command-watch = watch prices of a coin
bot-command-unwatch = no longer watch them
bot-command-threshold = show a setting, or change it for a while
bot-command-diff = what was changed beside the file
bot-command-reload = read the configuration again
bot-command-test = send a sample of every message
bot-command-log = the newest lines of the log
bot-command-help = what can be asked
bot-command-id = the ids of this chat and of you

bot-status-well = All feeds deliver.
bot-feed-trouble = { $venue } { $channel }: { $state } for { $seconds } s, { $reason }
bot-no-feeds = No feed yet.

bot-map-none = No cluster stands out.

bot-levels-title = { $symbol } levels
bot-levels-none = No level was approached.
bot-level = { $level } ({ $distance }) { $source }: { $phase }
bot-level-approaches = { $approaches } approaches, { $activated } activated
bot-phase-far = far
bot-phase-approaching = approaching
bot-phase-testing = being tested
bot-phase-crossed = crossed
bot-phase-judged = judged
bot-verdict-accelerated = accelerated
bot-verdict-faded = faded
bot-verdict-reversed = reversed
bot-source-estimate = estimate
bot-source-observed = published positions
bot-source-imported = imported
bot-source-user = yours
bot-source-unmapped = unmapped

bot-why-by = Decided by { $path }, { $tier }
bot-why-met = { $name } { $value }, limit { $limit } ({ $margin })
bot-why-missed = { $name } { $value }, limit { $limit } ({ $margin }), not met
bot-why-coverage = Share of the market that was heard: { $share }
bot-why-delivery = { $receiver }: { $role }, { $state } ({ $reason })
bot-why-outcome = { $receiver }: { $role }, { $state } ({ $reason }; { $outcome })
bot-why-nobody = Nobody was to be told.

bot-why-not = { $symbol } { $at } UTC: no cascade was called within { $minutes } min
bot-why-called = { $symbol } { $at } UTC: a cascade ran or was called within { $minutes } min
bot-why-told = { $time } { $headline }
bot-why-story = Its numbers: why { $id }
bot-why-way = { $direction ->
    [up] up
   *[down] down
}
bot-why-nearest = Nearest at { $time } { bot-why-way }, { $share } of the way: { $path }
bot-why-reached = { $name } { $value } of { $limit }: reached
bot-why-short = { $name } { $value } of { $limit }: short by { $short }
bot-why-also = At { $time } { bot-why-way }, { $share } of the way, short of { $missed }
bot-why-by-rarity = flow of { $venue } against what it shows once in { $span }
bot-why-by-impact = flow of all feeds against the move
bot-why-deaf = Not heard then: { $venues }
bot-why-learning = Too little history to call their flow rare: { $venues }
bot-why-ordinary = Nothing came near a start.
bot-why-moved = Price moved by { $moved } in that time.
bot-why-forced = Forced orders shown in that time: { $amount }
bot-why-forgotten = What came near a start then is not remembered. A tape of that time tells: liqwatch why --tape

bot-replay-title = { $symbol } { $begun }–{ $over } UTC
bot-replay-none = The tapes of that time are gone, or none were kept.

bot-mutes-none = Nothing is muted.
bot-mute = { $subject } until { $until }, by { $who }
bot-muted-by = Muted by { $who } until { $until }
bot-acked-by = Seen by { $who }
bot-mutes-title = Muted
bot-mute-all = Everything

bot-watched = { $symbol } is watched at { $prices }
bot-watched-none = No price of { $symbol } is watched.
bot-until = Until { $until }; the configuration file stays as it is.

bot-threshold = { $name } = { $value }
bot-from-default = the built-in default
bot-from-file = from the configuration file
bot-from-override = set by { $who } until { $until }

bot-diff-none = Nothing is changed beside the file.
bot-diff-title = Changed beside the file
bot-diff = { $change } until { $until }, by { $who }
bot-diff-refused = { $change } by { $who }, not in force: { $reason }

bot-reload = The configuration is read again; an alert tells what came of it.
bot-test = Samples of every message follow.
bot-test-done = These were all.
bot-log-none = The log is empty.

bot-button-mute = Mute { $subject } 1h
bot-button-why = Why?
bot-button-map = Map
bot-button-ack = Ack

## Ways to people

chat-gone = Alerts to { $chat } are no longer sent: { $reason }
chat-gone-advice = They go on after /start in that chat, or a restart.
second-channel = Telegram has been unreachable since { $time } UTC

## The status message

status-venues = liqwatch watches: { $live } of { $venues } venues live
status-cascades = { $running ->
    [0] No cascade runs.
    [one] { $running } cascade runs.
   *[other] { $running } cascades run.
}
