# A silence mutes, the record remains.
filesystem srv total=100GB
component c allocation=1000MB strategy=time
component d allocation=1000MB strategy=time
silence usage:component/c
file c data/a size=850MB
file d data/a size=850MB
silence *
file d data/a size=960MB
