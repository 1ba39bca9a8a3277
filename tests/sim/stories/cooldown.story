# The same alert at the same level comes once in ten minutes.
filesystem srv total=100GB
component c allocation=1000MB strategy=time
file c data/a size=850MB
advance 9min
advance 1min
# Over, and heard of; back within the cooldown, it is held until that is over.
file c data/a size=100MB
advance 1min
file c data/a size=850MB
file c data/a size=100MB
file c data/a size=850MB
advance 8min
advance 1min
file c data/a size=100MB
# Long over: raised at once.
advance 1h
file c data/a size=850MB
