"""The fleet: bots in many processes and on many hosts, behind one dispatcher.

What decides is pure and knows neither a network nor a clock: `dispatch` (which worker gets a call), `campaign` (which
number is dialled when), `plan` (how many slots a traffic needs). `simulation` runs the dispatcher for fleets that no
test machine holds.
"""
