# What is seen to be read stays, whatever the disk's access times say.
filesystem srv total=100GB
component c allocation=1000MB strategy=lru limits.share=100%
{
file c cache/a size=100MB age=9d read=5d
file c cache/b size=100MB age=9d read=4d
file c cache/c size=100MB age=9d read=3d
file c data/d size=490MB age=9d read=2d
}
read c cache/a
advance 1h
file c temp/t size=20MB
why c cache/a
why c data/d
