# An emergency of one filesystem takes only what lies on it.
filesystem srv total=10000MB others=8000MB
filesystem fast total=10000MB others=1000MB
{
component c allocation=9000MB filesystem.cache=fast filesystem.temp=fast
file c temp/t size=500MB age=9d
file c cache/c size=500MB age=9d
file c logs/l size=300MB age=9d
file c data/d size=600MB age=9d
}
filesystem srv others=8600MB
