# The newest three backups stay whatever happens; what is protected takes no
# place among them, nor does somebody else's file.
filesystem srv total=10000MB
component c allocation=1000MB backup=7d keepNewest.backup=3 strategy=time interval=1h limits.share=100%
{
file c backup/daily size=100MB age=40d count=6 every=1d
file c backup/latest size=10MB age=1d protected
file c backup/planted size=10MB age=1h foreign
}
advance 1h
why c backup/daily6
file c temp/big size=500MB
# Not even for an emergency.
filesystem srv others=9000MB
