# An open alert survives a restart: it is not raised again, it is repeated
# when its cooldown is over, and it is resolved.
filesystem srv total=100GB
component c allocation=1000MB strategy=time
file c data/a size=850MB
advance 5min
restart
advance 4min
advance 1min
restart
file c data/a size=10MB
