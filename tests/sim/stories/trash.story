# What an ordinary cleanup takes lies in the trash for a week, and frees
# nothing yet. The limits count without it.
filesystem srv total=100GB others=1GB
component feeds allocation=1000MB trash=7d limits.share=100%
file feeds data/f size=100MB age=9d count=8 every=1h
advance 1d
# By hand too, but not by force.
cleanup feeds target=600MB
cleanup feeds target=500MB dry-run
cleanup feeds target=500MB force
# Each goes when its own week is over, and not before.
advance 8d
# Where the policy has no trash any more, a day is enough for what is left.
file feeds data/g size=100MB age=9d count=3 every=1h
component feeds allocation=1000MB limits.share=100% trash=0s
advance 23h
advance 1h
# Usage with the trash reaches the critical level, and without it all is well:
# the oldest go until both are under the warning level.
component c allocation=1000MB trash=7d limits.share=100%
file c data/f size=50MB age=9d count=16 every=1h
advance 1h
file c data/g size=100MB age=1d
advance 1h
file c data/new size=50MB
# The critical level proper: the trash first, and then files, for good.
file c data/h size=400MB
# What a cleanup misses, the trash gives.
component d allocation=1000MB trash=7d limits.share=100%
file d data/keys size=700MB age=90d protected
file d data/f size=50MB age=9d count=2 every=1h
file d data/more size=110MB age=90d protected
remove d data/more
# A restart forgets what was planned, not what lies there.
component e allocation=1000MB trash=1d limits.share=100%
file e data/f size=100MB age=9d count=8 every=1h
restart
advance 1d
