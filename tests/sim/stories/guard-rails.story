# An ordinary cleanup takes a fifth of the files at most; what it leaves
# waits for the interval. The critical level goes as far as its target, and
# so does force.
filesystem srv total=100GB
component c allocation=1000MB strategy=size interval=2h
file c data/f size=79MB age=9d count=10 every=1h
file c temp/t size=20MB
advance 30min
file c temp/u size=150MB
advance 2h
file c data/burst size=330MB
component d allocation=1000MB strategy=size
file d data/f size=70MB age=9d count=10 every=1h
cleanup d target=600MB
cleanup d target=350MB dry-run
cleanup d target=350MB force
# A single file over the limit of bytes is passed over, not waited for.
component e allocation=1000MB strategy=size limits.share=100%
file e data/huge size=600MB age=9d
file e data/small size=50MB age=9d count=3 every=1h
cleanup e target=700MB
