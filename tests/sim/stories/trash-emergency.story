# In an emergency the trash on that filesystem goes before any component's
# file: of the lowest priority first, the oldest first, and no more than is
# needed.
filesystem srv total=10000MB others=3000MB target=72% warning=74% emergency=75%
filesystem home total=10000MB others=1000MB
{
component high priority=high allocation=3000MB trash=7d limits.share=100% limits.bytes=100%
component low priority=low allocation=2000MB trash=7d limits.share=100% limits.bytes=100% filesystem.temp=home
component none priority=low allocation=1000MB limits.share=100%
file high data/h size=100MB age=9d count=20 every=1h
file low data/l size=100MB age=9d count=8 every=1h
file low temp/l size=100MB age=9d count=2 every=1h
file none data/n size=100MB age=1d
}
cleanup high target=1400MB
cleanup low target=500MB
advance 1min
# What the low one has on this disk is enough.
filesystem srv total=10000MB others=4600MB target=72% warning=74% emergency=75%
# Then it is the high one's turn.
filesystem srv total=10000MB others=4920MB target=72% warning=74% emergency=75%
# More than all that lies there: components follow, and what they give is gone.
filesystem srv total=10000MB others=5800MB target=72% warning=74% emergency=75%
# The other disk's was left alone. It expires.
advance 7d
