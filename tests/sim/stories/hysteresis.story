# A level begins at its limit and ends two percent of the allocation below
# it: usage that sways around the limit raises one alert.
filesystem srv total=100GB
component c allocation=1000MB strategy=time
file c data/a size=799MB
grow c data/a by=1MB
file c data/b size=10MB
remove c data/b
file c data/b size=1MB
remove c data/b
# 781 MB is within the hysteresis, 779 MB is not.
remove c data/a
file c data/a size=900MB
file c data/a size=781MB
file c data/a size=779MB
