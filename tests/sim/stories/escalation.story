# An escalation is never held back, a fall is quiet, a resolution is sent.
filesystem srv total=100GB
component c allocation=1000MB strategy=time
file c data/a size=850MB
file c data/a size=960MB
file c data/a size=900MB
file c data/a size=960MB
file c data/a size=10MB
# Back within the cooldown, but higher than was announced last.
advance 11min
file c data/a size=850MB
file c data/a size=10MB
file c data/a size=960MB
